import { auditSubmission } from '../audit/verdicts.ts';
import { type Ack, ackStatement } from '../block/ack.ts';
import {
  type AuditedSubmission,
  type Candidate,
  candidateStatement,
  type Content,
  contentCounts,
} from '../block/candidate.ts';
import { contentRoot } from '../block/content-root.ts';
import { isRecent } from './confirm.ts';
import { type Leadership, type Node, persist } from './node.ts';

/** Forms the next candidate, if there is a place for one and something to put into it. One at a time: the next one names this one's hash. */
export function formCandidate(node: Node): void {
  const { leadership, log } = node;
  if (leadership === null || node.role !== 'center') return;
  if (log.open !== null || (leadership.handOver !== null && node.faults.handOverWithoutFencing !== true)) return;
  const content = nextContent(node, leadership);
  if (content === null) return;
  proposeContent(node, leadership, content);
}

/**
 * Puts the candidate on top of the log into this term (rsl.md: the new center re-proposes the highest). Its acknowledgements of an earlier term do
 * not count: Raft section 5.4.2.
 */
export function reproposeTop(node: Node): void {
  const { leadership, log } = node;
  const { open } = log;
  if (leadership === null || open === null) return;
  if (node.faults.newCenterForgets === true) {
    persist(node, { type: 'truncate', height: open.candidate.height });
    log.truncate(open.candidate.height);
    return;
  }
  leadership.hasOpened = true;
  if (node.faults.commitOldTerm === true && open.candidate.center !== node.id) return;
  proposeContent(node, leadership, open.candidate.content);
}

/** Signs the acknowledgement of a candidate by this member. */
export function acknowledgement(node: Node, candidate: Candidate): Ack {
  const { ledger, epoch, height, term, prev, root, count } = candidate;
  const ackTimeMs = Math.max(0, Math.floor(node.nowMs));
  const body = { ledger, epoch, height, term, prev, root, count, ackTimeMs };
  return { ...body, member: node.id, signature: node.crypto.sign(ackStatement(body)) };
}

function nextContent(node: Node, leadership: Leadership): Content | null {
  if (leadership.configuration !== null) {
    const { configuration } = leadership;
    leadership.configuration = null;
    return { kind: 'configuration', configuration };
  }
  const audited = auditQueue(node);
  if (audited.length > 0) return { kind: 'records', audited };
  return !leadership.hasOpened || (needsClosing(node) && mayClose(node, leadership)) ? { kind: 'empty' } : null;
}

/** Whether an empty block may follow now. A change of the members is waited for by everything else. */
function mayClose({ log, limits }: Node, { ticksSinceSeal }: Leadership): boolean {
  return ticksSinceSeal >= limits.closingTicks || log.top.epochs.pending !== null;
}

/** Whether a block with something in it still waits to be confirmed by the ones above it. */
function needsClosing(node: Node): boolean {
  const { log } = node;
  for (let height = log.top.height; height > Math.max(log.top.confirmed, log.base.height); height -= 1) {
    if (log.entry(height)?.candidate.content.kind !== 'empty') return true;
  }
  return false;
}

function auditQueue(node: Node): AuditedSubmission[] {
  const audited: AuditedSubmission[] = [];
  const oids = new Set<string>();
  const height = node.log.lastHeight + 1;
  const recent = isRecent(node, height);
  const context = { nowMs: node.nowMs, height };
  let records = 0;
  let taken = 0;
  for (const { submission } of node.queue) {
    const size = submission.records.length;
    if (taken > 0 && records + size > node.limits.maxBlockRecords) break;
    taken += 1;
    records += size;
    const result = auditSubmission(
      node.audit,
      submission,
      oids,
      recent,
      context,
      node.faults.acceptDuplicateOid === true,
    );
    if (node.faults.dropRejected === true && result.rejected.length > 0) continue;
    audited.push(result);
  }
  node.queue = node.queue.slice(taken);
  node.queuedRecords -= records;
  return audited;
}

function proposeContent(node: Node, leadership: Leadership, content: Content): void {
  const { crypto, log } = node;
  const { accepted, rejected } = contentCounts(content);
  const body = {
    ledger: node.ledger,
    epoch: log.top.epochs.current.epoch,
    height: log.top.height + 1,
    term: node.term,
    center: node.id,
    prev: log.top.hash,
    root: contentRoot(crypto, content),
    count: accepted + rejected,
  };
  const candidate: Candidate = {
    ...body,
    content,
    salt: salt(node.random),
    signature: crypto.sign(candidateStatement(body)),
  };
  const ack = acknowledgement(node, candidate);
  log.put(candidate, ack);
  persist(node, { type: 'candidate', candidate, ack });
  leadership.hasOpened = true;
  leadership.isOwnDurable = false;
  leadership.acks = new Map();
  leadership.refusals = new Map();
}

function salt(random: () => number): string {
  const words = [random(), random(), random(), random()];
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}
