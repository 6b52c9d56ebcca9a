import type { Statement } from '../statement.ts';
import type { BlockHash, Digest, MemberId, Signature } from '../ids.ts';

/** A department's word that it re-audited a candidate and holds it durably (D6; rsl.md, protocol step 3). */
export interface Ack {
  readonly ledger: string;
  readonly epoch: number;
  readonly height: number;
  readonly term: number;
  readonly prev: BlockHash;
  readonly root: Digest;
  readonly count: number;
  readonly ackTimeMs: number;
  readonly member: MemberId;
  readonly signature: Signature;
}

/** An acknowledgement inside a certificate: what all of them share is in the header. */
export type CertificateAck = Pick<Ack, 'member' | 'ackTimeMs' | 'signature'>;

/** What a department signs in an acknowledgement. */
export function ackStatement(ack: Omit<Ack, 'signature' | 'member'>): Statement {
  const { ledger, epoch, height, term, prev, root, count, ackTimeMs } = ack;
  return ['waymark/rsl/ack/v1', ledger, epoch, height, term, prev, root, count, ackTimeMs];
}
