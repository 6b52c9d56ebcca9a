import { isHeldBack } from '../audit/held-back.ts';
import { type Reaudit, reauditProblem } from '../audit/reaudit.ts';
import { type Candidate, candidateStatement } from '../block/candidate.ts';
import { sealProblem } from '../block/certificate.ts';
import type { Seal } from '../block/header.ts';
import { repeatsRequired } from '../election/certificate.ts';
import { type ChainState, cursorsAfter, headerFor } from '../log/chain.ts';
import { inForce } from '../membership/epochs.ts';
import { isRecent } from './confirm.ts';
import type { Following, Node } from './node.ts';

/**
 * Whether a candidate may stand on this block: place, links, its center's signature, and the re-audit of its content. Used for whatever comes in,
 * from a center or from a catch-up.
 * @param judged whether verdicts are judged too
 * @returns reason code, or null
 */
export function candidateProblem(
  node: Node,
  below: ChainState,
  candidate: Candidate,
  judged: boolean,
  known: (oid: string) => boolean = isRecent(node, candidate.height),
): string | null {
  const { faults, crypto } = node;
  if (candidate.ledger !== node.ledger) return 'recipient-mismatch';
  if (candidate.height !== below.height + 1) return 'height-gap';
  if (candidate.prev !== below.hash && faults.skipPreviousHash !== true) return 'previous-mismatch';
  if (candidate.epoch !== below.epochs.current.epoch && faults.reuseAcksAcrossEpochs !== true) return 'epoch-mismatch';
  if (candidate.term < below.term) return 'term-mismatch';
  if (!below.epochs.current.members.includes(candidate.center)) return 'center-removed';
  if (!crypto.verify(candidate.center, candidateStatement(candidate), candidate.signature)) return 'signature-invalid';
  return reauditProblem(reauditOf(node, candidate, known), below, candidate, judged);
}

/** Whether a center's new candidate may be acknowledged: the above, and what only a living center has to answer for. */
export function proposalProblem(
  node: Node,
  below: ChainState,
  candidate: Candidate,
  following: Following,
): string | null {
  const { faults } = node;
  const isOldTerm = candidate.term !== node.term || candidate.center !== following.center;
  if (isOldTerm && faults.commitOldTerm !== true && faults.acceptStaleCenter !== true) return 'term-mismatch';
  const isFirst = candidate.height === following.base.height + 1;
  if (isFirst && faults.newCenterForgets !== true) {
    if (!repeatsRequired(candidate, following.required)) return 'reproposal-missing';
  }
  const problem = candidateProblem(node, below, candidate, true);
  if (problem !== null) return problem;
  if (faults.skipOwnSubmissions === true) return null;
  const cursors = cursorsAfter(below.cursors, candidate);
  const isMissing = node.ownReceipts.some(
    (receipt) =>
      receipt.center === candidate.center &&
      receipt.term === candidate.term &&
      isHeldBack(receipt, candidate.height, cursors, node.limits.inclusionBlocks),
  );
  return isMissing ? 'own-submission-missing' : null;
}

/**
 * Whether a seal belongs to a candidate on this block: the header is the one that follows from it, and a quorum acknowledged it.
 * @returns reason code, or null
 */
export function sealMismatch(node: Node, below: ChainState, candidate: Candidate, seal: Seal): string | null {
  const { faults, crypto } = node;
  if (seal.center !== candidate.center) return 'center-mismatch';
  const expected = headerFor(crypto, below, candidate, seal.certificate);
  const compared = faults.skipTimestampCheck === true || faults.stampBeforeVerification === true;
  const header = compared ? { ...expected, timestampMs: seal.header.timestampMs } : expected;
  if (crypto.headerHash(header) !== seal.hash) return 'header-mismatch';
  return sealProblem(crypto, seal, inForce(below.epochs, candidate.content), faults);
}

function reauditOf(node: Node, candidate: Candidate, known: (oid: string) => boolean): Reaudit {
  const { crypto, audit, ledger, faults, limits, nowMs } = node;
  return {
    crypto,
    audit,
    ledger,
    faults,
    maxSubmissionRecords: limits.maxSubmissionRecords,
    isRecent: known,
    context: { nowMs, height: candidate.height },
  };
}
