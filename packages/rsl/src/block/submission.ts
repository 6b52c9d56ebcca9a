import type { Statement } from '../statement.ts';
import type { Digest, MemberId, Signature } from '../ids.ts';

/** A record as the core sees it: never its payload. */
export interface RecordEntry {
  /** The record's opaque id; one oid is accepted once (D5). */
  readonly oid: string;
  /** 32 bytes: leaf hash of the record in its batch (docs/formats.md, "Batch"). */
  readonly leaf: Uint8Array;
}

/** One batch of a department's records: what it signed, with its number in the department's own sequence. */
export interface Submission {
  readonly ledger: string;
  readonly department: MemberId;
  /** 1, 2, ...: no gaps. */
  readonly seq: number;
  /** `hash` of the submission with `seq` - 1; `noSubmission` for the first. */
  readonly prev: Digest;
  /** Merkle root over the records' leaves. */
  readonly root: Digest;
  readonly records: readonly RecordEntry[];
  /**
   * What belongs to the submission and is no business of consensus: what the department signed in full, where its envelopes lie. Opaque here, and in
   * the body as it is.
   */
  readonly attachment: Uint8Array;
  /** `Crypto.submissionDigest`. */
  readonly hash: Digest;
  /** The department's (`Crypto.verifySubmission`). */
  readonly signature: Signature;
}

/** What a department signs, and what its `hash` is made of, where it has no form of its own for that (`signedAsStatement`). */
export function submissionStatement(
  submission: Pick<Submission, 'ledger' | 'department' | 'seq' | 'prev' | 'root' | 'records'>,
): Statement {
  const { ledger, department, seq, prev, root, records } = submission;
  return ['waymark/rsl/submission/v1', ledger, department, seq, prev, root, records.length];
}

/**
 * The center's word that it holds a submission durably. A submission that is not in the ledger some blocks later is held back, and this is
 * the proof (rsl.md, protocol step 6).
 */
export interface SubmissionReceipt {
  readonly ledger: string;
  readonly department: MemberId;
  readonly seq: number;
  readonly hash: Digest;
  readonly center: MemberId;
  readonly term: number;
  /** Height of the center's last block or candidate when it accepted. */
  readonly height: number;
  readonly acceptedMs: number;
  readonly signature: Signature;
}

/** What the center signs in a receipt. */
export function receiptStatement(receipt: Omit<SubmissionReceipt, 'signature'>): Statement {
  const { ledger, department, seq, hash, center, term, height, acceptedMs } = receipt;
  return ['waymark/rsl/receipt/v1', ledger, department, seq, hash, center, term, height, acceptedMs];
}
