import { type AuditedSubmission, type Candidate, contentCounts } from '../block/candidate.ts';
import { contentRoot } from '../block/content-root.ts';
import type { Submission } from '../block/submission.ts';
import type { Crypto } from '../crypto.ts';
import { noSubmission } from '../ids.ts';
import type { ChainState, Cursor } from '../log/chain.ts';
import { changeProblem } from '../membership/change.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import type { Audit, AuditContext } from './audit.ts';

/** What a department re-audits with. */
export interface Reaudit {
  readonly crypto: Crypto;
  readonly audit: Audit;
  readonly ledger: string;
  readonly faults: PlantedFaults;
  readonly maxSubmissionRecords: number;
  /** Whether an unconfirmed block below holds this oid. */
  readonly isRecent: (oid: string) => boolean;
  readonly context: AuditContext;
}

/**
 * A department's re-audit of a candidate (D6; rsl.md, protocol step 3): nothing unsigned, no gap, no record twice, roots recompute, verdicts
 * that it can follow. That its own submissions are there it knows only over several blocks (`held-back.ts`).
 * @param judged whether verdicts are judged too; not for blocks that a quorum has acknowledged already
 * @returns reason code, or null when it can be acknowledged
 */
export function reauditProblem(
  reaudit: Reaudit,
  below: ChainState,
  candidate: Candidate,
  judged: boolean,
): string | null {
  const { crypto, faults } = reaudit;
  if (faults.skipReaudit === true) return null;
  const { content } = candidate;
  if (content.kind === 'configuration') {
    const problem = changeProblem(below.epochs, content.configuration, faults);
    if (problem !== null) return problem;
  }
  if (content.kind === 'records') {
    const problem = recordsProblem(reaudit, below, content.audited, judged);
    if (problem !== null) return problem;
  }
  const { accepted, rejected } = contentCounts(content);
  if (candidate.count !== accepted + rejected) return 'count-mismatch';
  if (faults.skipRootCheck !== true && contentRoot(crypto, content) !== candidate.root) return 'root-mismatch';
  return null;
}

function recordsProblem(
  reaudit: Reaudit,
  below: ChainState,
  content: readonly AuditedSubmission[],
  judged: boolean,
): string | null {
  const cursors = new Map<string, Cursor>();
  const oids = new Set<string>();
  if (content.length === 0) return 'content-empty';
  for (const audited of content) {
    const { submission } = audited;
    const cursor = cursors.get(submission.department) ?? below.cursors.get(submission.department);
    const problem =
      submissionProblem(reaudit.crypto, reaudit.ledger, submission, reaudit.maxSubmissionRecords, reaudit.faults) ??
      sequenceProblem(submission, cursor, reaudit.faults) ??
      verdictProblem(reaudit, audited, oids, judged);
    if (problem !== null) return problem;
    cursors.set(submission.department, { seq: submission.seq, hash: submission.hash });
  }
  return null;
}

/** Whether a submission is its department's: form, hash, root, signature. */
export function submissionProblem(
  crypto: Crypto,
  ledger: string,
  submission: Submission,
  maxRecords: number,
  faults: PlantedFaults,
): 'recipient-mismatch' | 'submission-malformed' | 'root-mismatch' | 'signature-invalid' | 'too-large' | null {
  const { records, seq, hash, root } = submission;
  if (submission.ledger !== ledger) return 'recipient-mismatch';
  if (records.length > maxRecords) return 'too-large';
  if (records.length === 0 || !Number.isSafeInteger(seq) || seq < 1) return 'submission-malformed';
  if (crypto.submissionDigest(submission) !== hash) return 'submission-malformed';
  if (faults.skipSubmissionSignature !== true && !crypto.verifySubmission(submission)) return 'signature-invalid';
  if (faults.skipRootCheck !== true && crypto.merkleRoot(records.map(({ leaf }) => leaf)) !== root) {
    return 'root-mismatch';
  }
  return null;
}

/** Whether a submission follows its department's last one. */
export function sequenceProblem(
  { seq, prev }: Submission,
  cursor: Cursor | undefined,
  faults: PlantedFaults,
): 'sequence-gap' | null {
  if (faults.skipSequenceGap === true) return null;
  return seq === (cursor?.seq ?? 0) + 1 && prev === (cursor?.hash ?? noSubmission) ? null : 'sequence-gap';
}

function verdictProblem(
  { audit, context, faults, isRecent }: Reaudit,
  { submission, rejected }: AuditedSubmission,
  oids: Set<string>,
  judged: boolean,
): string | null {
  let next = 0;
  for (let index = 0; index < submission.records.length; index += 1) {
    const entry = submission.records[index];
    if (entry === undefined) return 'submission-malformed';
    const rejection = rejected[next];
    if (rejection?.index === index) {
      next += 1;
      if (rejection.reason === '') return 'rejection-without-reason';
      if (!judged || faults.skipRejectionReason === true) continue;
      if (!followsRejection(entry.oid, rejection.reason)) return 'rejection-not-followed';
      continue;
    }
    const isKnown = oids.has(entry.oid) || isRecent(entry.oid) || audit.isRecorded(entry.oid);
    if (isKnown && faults.acceptDuplicateOid !== true) return 'duplicate-oid';
    oids.add(entry.oid);
    if (judged && !audit.followsAcceptance(submission, entry, context)) return 'acceptance-not-followed';

    function followsRejection(oid: string, reason: string): boolean {
      if (entry === undefined) return false;
      if (reason !== 'duplicate-oid') return audit.followsRejection(submission, entry, reason, context);
      return oids.has(oid) || isRecent(oid) || audit.isRecorded(oid);
    }
  }
  return next === rejected.length ? null : 'rejection-malformed';
}
