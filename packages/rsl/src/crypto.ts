import type { Digest, MemberId, Signature } from './ids.ts';
import type { Statement } from './statement.ts';
import type { Header } from './block/header.ts';
import type { Candidate } from './block/candidate.ts';
import { type Submission, submissionStatement } from './block/submission.ts';

/**
 * Hashes and signatures, injected and synchronous: the core decides what is hashed and signed, not how. Every function is pure, but for
 * `sign`, which uses this member's own key. `createCrypto` makes the real one; a simulation may pass a cheap one.
 */
export interface Crypto {
  /** Digest of a statement. */
  digest(statement: Statement): Digest;
  /** Leaf hash of a statement (RFC 6962 section 2.1). */
  leafHash(statement: Statement): Uint8Array;
  /** Root over leaf hashes (RFC 6962 section 2.1). */
  merkleRoot(leaves: readonly Uint8Array[]): Digest;
  /** Block hash: CID of the unsigned dag-cbor header. */
  headerHash(header: Header): string;
  /** CID of the body as it is stored: the content encrypted to the firm and its auditors, the same bytes at every member. */
  bodyId(candidate: Candidate): string;
  /** What a submission's `hash` has to be; null when its attachment is none, or says something else than the submission. */
  submissionDigest(submission: Submission): Digest | null;
  /** Whether `department` signed what stands for the submission. */
  verifySubmission(submission: Submission): boolean;
  /** Signs with this member's own key. The first item of a statement says what it is. */
  sign(statement: Statement): Signature;
  /** Whether `member` signed this statement. */
  verify(member: MemberId, statement: Statement, signature: Signature): boolean;
}

/** Submissions that a department signs as `submissionStatement`, without an attachment. */
export function signedAsStatement(
  crypto: Pick<Crypto, 'digest' | 'verify'>,
): Pick<Crypto, 'submissionDigest' | 'verifySubmission'> {
  return {
    submissionDigest: (submission) => crypto.digest(submissionStatement(submission)),
    verifySubmission: (submission) =>
      crypto.verify(submission.department, submissionStatement(submission), submission.signature),
  };
}
