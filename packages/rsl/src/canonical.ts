import { encode } from '@ipld/dag-cbor';
import { cidOfDagCbor, encodeCbor, leafHash, merkleRoot, parseCid, sha256, toHex } from '@waymark/protocol';
import type { Header } from './block/header.ts';
import { type Crypto, signedAsStatement } from './crypto.ts';
import type { Statement } from './statement.ts';
import { noBlock } from './ids.ts';

/** What the real `Crypto` still has to be given: this member's key, the others' certificates, and how a body is stored. */
export type CryptoKeys = Pick<Crypto, 'bodyId'> & {
  /** How submissions are signed; default: as `submissionStatement`. */
  readonly submissions?: Pick<Crypto, 'submissionDigest' | 'verifySubmission'>;
  /** Signs bytes with this member's key, for example as a COSE_Sign1 with detached payload. */
  readonly signBytes: (bytes: Uint8Array) => string;
  /** Whether a member signed these bytes. */
  readonly verifyBytes: (member: string, bytes: Uint8Array, signature: string) => boolean;
};

/** Canonical bytes of a statement: deterministic CBOR (RFC 8949 section 4.2.1). */
export function statementBytes(statement: Statement): Uint8Array {
  return encodeCbor(statement);
}

/**
 * The unsigned header as dag-cbor: what the block hash is the CID of. The block before and the body are links; digests are bytes.
 * @throws WaymarkError input-invalid when a link is no CID of ours
 */
export function headerBytes(header: Header): Uint8Array {
  const { version, ledger, epoch, height, term, accepted, rejected, timestampMs } = header;
  return encode({
    v: version,
    type: 'waymark/rsl-header',
    ledger,
    epoch,
    height,
    term,
    prev: header.prev === noBlock ? null : parseCid(header.prev),
    departments: Buffer.from(header.departments, 'hex'),
    root: Buffer.from(header.root, 'hex'),
    accepted,
    rejected,
    timestamp: timestampMs,
    body: parseCid(header.body),
  });
}

/** Real hashing: SHA-256, RFC 6962 trees, block hashes as CIDs. */
export function createCrypto({ bodyId, signBytes, verifyBytes, submissions }: CryptoKeys): Crypto {
  const digest = (statement: Statement): string => toHex(sha256(statementBytes(statement)));
  const verify = (member: string, statement: Statement, signature: string): boolean =>
    verifyBytes(member, statementBytes(statement), signature);
  return {
    bodyId,
    digest,
    ...(submissions ?? signedAsStatement({ digest, verify })),
    leafHash: (statement) => leafHash(statementBytes(statement)),
    merkleRoot: (leaves) => toHex(merkleRoot(leaves)),
    headerHash: (header) => cidOfDagCbor(headerBytes(header)).toString(),
    sign: (statement) => signBytes(statementBytes(statement)),
    verify,
  };
}
