import type { Statement } from '../statement.ts';
import type { BlockHash, Digest, MemberId, Signature } from '../ids.ts';
import type { CertificateAck } from './ack.ts';

/** Header of a private block (D3; rsl.md, "Block"). */
export interface Header {
  readonly version: 1;
  readonly ledger: string;
  readonly epoch: number;
  readonly height: number;
  readonly term: number;
  readonly prev: BlockHash;
  /** Salted digest over every department's last sequence number and submission, after this block. */
  readonly departments: Digest;
  readonly root: Digest;
  readonly accepted: number;
  readonly rejected: number;
  /** Set after verification: median of the certificate's ack times, and never below the block before (D3). */
  readonly timestampMs: number;
  /** CID of the body. */
  readonly body: string;
}

/** What makes a candidate a block: its header, the center's signature and the departments' acknowledgements. */
export interface Seal {
  readonly header: Header;
  readonly hash: BlockHash;
  /** The center that proposed and sealed it. */
  readonly center: MemberId;
  /** In byte order of the members, each once. */
  readonly certificate: readonly CertificateAck[];
  /** The center's, over `sealStatement`. */
  readonly signature: Signature;
}

/** What a block hash is made of, for hashes other than the CID of the dag-cbor header (simulation). */
export function headerFields(header: Header): Statement {
  const { version, ledger, epoch, height, term, prev, departments, root, accepted, rejected, timestampMs, body } =
    header;
  return [
    'waymark/rsl/header/v1',
    version,
    ledger,
    epoch,
    height,
    term,
    prev,
    departments,
    root,
    accepted,
    rejected,
    timestampMs,
    body,
  ];
}

/** What the center signs in a seal. Place and content stand beside the hash, so that two of them prove a lie by themselves. */
export function sealStatement(seal: Pick<Seal, 'header' | 'hash' | 'center'>): Statement {
  const { ledger, epoch, height, term } = seal.header;
  return ['waymark/rsl/seal/v1', ledger, epoch, height, term, seal.center, seal.hash];
}
