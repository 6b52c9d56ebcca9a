import { submissionProblem } from '../audit/reaudit.ts';
import { type Submission, type SubmissionReceipt, receiptStatement } from '../block/submission.ts';
import type { ProposeResult, RefusalReason } from '../core.ts';
import { noSubmission } from '../ids.ts';
import { type Cursor, cursorsAfter } from '../log/chain.ts';
import { changed, changeProblem, type MembershipChange } from '../membership/change.ts';
import { maxMembers } from '../membership/configuration.ts';
import { configurationsOf, type Leadership, type Node, persist, type Queued } from './node.ts';

/** Takes a submission at the center (rsl.md, protocol step 1): after this it is durable, and its receipt binds the center. */
export function propose(node: Node, submission: Submission): ProposeResult {
  const refused = closed(node);
  if (refused !== null) return refuse(node, refused);
  const problem = submissionProblem(node.crypto, node.ledger, submission, node.limits.maxSubmissionRecords, {});
  if (problem !== null) return refuse(node, problem === 'root-mismatch' ? 'submission-malformed' : problem);
  const recorded = recordedCursor(node, submission.department);
  if (submission.seq <= (recorded?.seq ?? 0)) return refuse(node, 'already-recorded');
  const queued = node.queue.filter((q) => q.submission.department === submission.department);
  const same = queued.find((q) => q.submission.seq === submission.seq);
  if (same !== undefined) {
    if (same.submission.hash !== submission.hash) return refuse(node, 'replay-conflict');
    node.out.receipts.push(same.receipt);
    return { accepted: true, receipt: same.receipt };
  }
  const last = lastCursor(node, submission.department);
  if (submission.seq !== (last?.seq ?? 0) + 1) return refuse(node, 'sequence-gap');
  if (submission.prev !== (last?.hash ?? noSubmission)) return refuse(node, 'replay-conflict');
  if (node.queuedRecords + submission.records.length > node.limits.maxPendingRecords) return refuse(node, 'busy');
  const item: Queued = { submission, receipt: receiptFor(node, submission) };
  node.queue.push(item);
  node.queuedRecords += submission.records.length;
  if (node.faults.receiptBeforePersist !== true) persist(node, { type: 'submission', ...item });
  node.out.receipts.push(item.receipt);
  return { accepted: true, receipt: item.receipt };
}

/** Takes a change of the configuration at the center; one at a time (Raft thesis section 4.1, and its correction: only after a block of the own term). */
export function changeMembership(node: Node, change: MembershipChange): ProposeResult {
  const refused = closed(node);
  if (refused !== null) return refuse(node, refused);
  const { log, faults } = node;
  const leadership = node.leadership as Leadership;
  const inLog = log.open?.candidate.content.kind === 'configuration';
  if (
    faults.twoMembershipChanges !== true &&
    (inLog || leadership.configuration !== null || log.top.term !== node.term)
  ) {
    return refuse(node, 'change-pending');
  }
  const { epochs } = log.top;
  const before =
    faults.twoMembershipChanges === true ? (epochs.pending?.configuration ?? epochs.current) : epochs.current;
  const next = changed(before, change);
  if (next === null) return refuse(node, 'change-impossible');
  if (next.members.length + next.learners.length > maxMembers) return refuse(node, 'change-impossible');
  const problem = changeProblem(epochs, next, faults);
  if (problem !== null) return refuse(node, problem === 'change-pending' ? 'change-pending' : 'change-impossible');
  if (change.type === 'promote' && !hasCaughtUp(node, change.member)) return refuse(node, 'change-impossible');
  leadership.configuration = next;
  return { accepted: true, receipt: null };
}

/** Starts a planned hand-over (rsl.md; Raft thesis section 3.10). Nothing is taken from here on until it is over. */
export function handOver(node: Node, to: string): ProposeResult {
  const refused = closed(node);
  if (refused !== null) return refuse(node, refused);
  const isPossible =
    to !== node.id && !node.liars.has(to) && configurationsOf(node).every((c) => c.eligible.includes(to));
  if (!isPossible) return refuse(node, 'change-impossible');
  (node.leadership as Leadership).handOver = { to, ticks: 0, isSent: false };
  return { accepted: true, receipt: null };
}

/** Puts the queue in order for a new term: what is in the chain by now, or does not follow it, goes. */
export function rebuildQueue(node: Node): void {
  const queue = node.queue;
  node.queue = [];
  node.queuedRecords = 0;
  const cursors = new Map<string, Cursor>();
  for (const item of queue) {
    const { department, seq, prev, records } = item.submission;
    const cursor = cursors.get(department) ?? recordedCursor(node, department);
    if (seq !== (cursor?.seq ?? 0) + 1 || prev !== (cursor?.hash ?? noSubmission)) continue;
    cursors.set(department, item.submission);
    node.queue.push(item);
    node.queuedRecords += records.length;
  }
}

function closed(node: Node): RefusalReason | null {
  const { leadership } = node;
  if (node.role !== 'center' || leadership === null) return 'not-center';
  return leadership.handOver === null || node.faults.handOverWithoutFencing === true ? null : 'handing-over';
}

function refuse(node: Node, reason: RefusalReason): ProposeResult {
  const center = node.role === 'center' ? node.id : (node.following?.center ?? null);
  return { accepted: false, reason, center };
}

/** A department's last submission that is in the log or in the queue. */
export function lastCursor(node: Node, department: string): Cursor | undefined {
  const queued = node.queue.findLast(({ submission }) => submission.department === department);
  return queued?.submission ?? recordedCursor(node, department);
}

function recordedCursor(node: Node, department: string): Cursor | undefined {
  const { open, top } = node.log;
  return (open === null ? top.cursors : cursorsAfter(top.cursors, open.candidate)).get(department);
}

function receiptFor(node: Node, { department, seq, hash }: Submission): SubmissionReceipt {
  const body = {
    ledger: node.ledger,
    department,
    seq,
    hash,
    center: node.id,
    term: node.term,
    height: node.log.lastHeight,
    acceptedMs: node.nowMs,
  };
  return { ...body, signature: node.crypto.sign(receiptStatement(body)) };
}

function hasCaughtUp(node: Node, member: string): boolean {
  const match = node.leadership?.progress.get(member)?.match ?? 0;
  return match + node.limits.maxAppendEntries >= node.log.lastHeight;
}
