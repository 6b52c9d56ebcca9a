import type { Statement } from '../statement.ts';
import type { BlockHash, Digest, MemberId, Signature } from '../ids.ts';
import type { Configuration } from '../membership/configuration.ts';
import type { Submission } from './submission.ts';

/** A record that is in the block but was not accepted, and why (D5). */
export interface Rejection {
  /** Place in the submission's records. */
  readonly index: number;
  /** Reason code of the audit. */
  readonly reason: string;
}

/** A submission with the center's verdict on each of its records. What is not rejected is accepted. */
export interface AuditedSubmission {
  readonly submission: Submission;
  /** By index, each at most once. */
  readonly rejected: readonly Rejection[];
}

/** What a block holds. An empty block confirms the ones below it. */
export type Content =
  | { readonly kind: 'records'; readonly audited: readonly AuditedSubmission[] }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'empty' };

/** What the center pushes to the departments for re-audit (D5, D6): a block without its timestamp, seal and certificate. */
export interface Candidate {
  readonly ledger: string;
  /** Epoch of the configuration under which it is acknowledged. */
  readonly epoch: number;
  readonly height: number;
  readonly term: number;
  readonly center: MemberId;
  /** Hash of the sealed block below. */
  readonly prev: BlockHash;
  readonly content: Content;
  /** Salt of the department hash, so that it does not tell who submitted. */
  readonly salt: string;
  /** Merkle root over `contentLeaves`. */
  readonly root: Digest;
  /** Records in it, accepted and rejected. */
  readonly count: number;
  /** The center's, over `candidateStatement`. */
  readonly signature: Signature;
}

/** What is acknowledged of a candidate (rsl.md, protocol step 3). */
export type Position = Pick<Candidate, 'height' | 'term' | 'prev' | 'root' | 'count'>;

/** What the center signs in a candidate. */
export function candidateStatement(
  candidate: Pick<Candidate, 'ledger' | 'epoch' | 'height' | 'term' | 'center' | 'prev' | 'root' | 'count'>,
): Statement {
  const { ledger, epoch, height, term, center, prev, root, count } = candidate;
  return ['waymark/rsl/candidate/v1', ledger, epoch, height, term, center, prev, root, count];
}

/** Leaf data of one audited submission: nobody can be left out, or a verdict changed, without changing the root. */
export function auditedStatement({
  submission,
  rejected,
}: {
  readonly submission: Pick<Submission, 'department' | 'seq' | 'hash' | 'root'> & {
    readonly records: { readonly length: number };
  };
  readonly rejected: readonly Rejection[];
}): Statement {
  return [
    'waymark/rsl/leaf/v1',
    submission.department,
    submission.seq,
    submission.hash,
    submission.root,
    submission.records.length,
    rejected.map(({ index, reason }) => [index, reason]),
  ];
}

/** Records of a block's content, accepted and rejected. */
export function contentCounts(content: Content): { readonly accepted: number; readonly rejected: number } {
  let records = 0;
  let rejected = 0;
  if (content.kind === 'records') {
    for (const audited of content.audited) {
      records += audited.submission.records.length;
      rejected += audited.rejected.length;
    }
  }
  return { accepted: records - rejected, rejected };
}

/** Whether two candidates say the same of the ledger, whoever proposed them and in which term. */
export function samePosition(a: Position, b: Position): boolean {
  return a.height === b.height && a.term === b.term && a.prev === b.prev && a.root === b.root && a.count === b.count;
}
