import { compareLogEnds } from '../election/log-end.ts';
import type { LogEnd } from '../election/vote.ts';
import type { BlocksMessage, FetchMessage, LogEntry, SnapshotMessage } from '../messages.ts';
import { installable } from '../snapshot/install.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { candidateProblem } from './accept.ts';
import { walk } from './chain-walk.ts';
import { confirmUpTo, isSame, sealTop } from './confirm.ts';
import { mayCenterLie, type Node, persist, send } from './node.ts';

/** Somebody asks for blocks: everybody serves them (rsl.md, protocol step 5). */
export function onFetch(node: Node, { from, height }: FetchMessage): void {
  const { log, limits, snapshot } = node;
  const needsSnapshot = height < log.base.height;
  const first = (needsSnapshot ? log.base.height : height) + 1;
  const entries: LogEntry[] = [];
  for (let at = first; at <= log.lastHeight && entries.length < limits.maxAppendEntries; at += 1) {
    const entry = log.entry(at);
    if (entry !== null) entries.push({ candidate: entry.candidate, seal: entry.seal });
  }
  if (entries.length === 0 && !needsSnapshot) return;
  send(node, {
    type: 'blocks',
    from: node.id,
    to: from,
    term: node.term,
    snapshot: needsSnapshot ? snapshot : null,
    entries,
  });
}

/** Blocks that were asked for. */
export function onBlocks(node: Node, { from, snapshot, entries }: BlocksMessage): void {
  if (snapshot !== null) install(node, snapshot);
  const isMore = catchUp(node, entries) && entries.length === node.limits.maxAppendEntries;
  if (isMore) send(node, { type: 'fetch', from: node.id, to: from, term: node.term, height: node.log.top.height });
}

/**
 * Takes blocks from anybody when they lead further than this member's own log, or are confirmed: what a quorum acknowledged proves itself. Nothing
 * confirmed gives way, and nothing that was acknowledged in the present term. A candidate on top is taken without being acknowledged.
 * @returns whether the log went on
 */
export function catchUp(node: Node, entries: readonly LogEntry[]): boolean {
  const { log } = node;
  const [first] = entries;
  if (first === undefined || node.role === 'center') return false;
  const start = log.state(first.candidate.height - 1);
  if (start === null) return false;
  const { states } = walk(node, start, entries);
  const sealedCount = states.length - 1;
  const top = states.at(-1) ?? start;
  const open = entries[sealedCount];
  // Also when its center has lied since: voters that hold it elect nobody who lacks it, and it is proposed again or another one of its place.
  const isOpenGood =
    open?.seal === null &&
    open.candidate.term <= node.term &&
    candidateProblem(node, top, open.candidate, true) === null;
  const offered: LogEnd = {
    sealed: { height: top.height, term: top.term, hash: top.hash },
    candidate: isOpenGood ? open.candidate : null,
  };
  const fresh = entries
    .slice(0, sealedCount)
    .findIndex(({ seal, candidate }) => log.entry(candidate.height)?.seal?.hash !== seal?.hash);
  const firstFresh = fresh < 0 ? sealedCount : fresh;
  const at = start.height + firstFresh + 1;
  if (at <= node.confirmed) return false;
  // What the offered blocks confirm leaves nothing to choose.
  const isConfirmed = firstFresh < sealedCount && top.confirmed >= at;
  const isFurther = compareLogEnds(offered, log.end(), mayCenterLie(node)) > 0 && !isBoundByAck(node, at, entries);
  if (!isConfirmed && !isFurther) return false;
  for (const { candidate, seal } of entries.slice(firstFresh, sealedCount)) {
    if (seal === null) break;
    log.put(candidate, null);
    persist(node, { type: 'candidate', candidate, ack: null });
    sealTop(node, seal);
  }
  const held = log.entry(open?.candidate.height ?? 0)?.candidate;
  // One of a later term takes the place of an earlier one: who keeps that is behind for good, if nobody else may be elected.
  if (isOpenGood && (held === undefined || held.term < open.candidate.term)) {
    log.put(open.candidate, null);
    persist(node, { type: 'candidate', candidate: open.candidate, ack: null });
  }
  return true;
}

/** Whether something at this height or above was acknowledged in the present term: it stays, unless the same is offered. */
function isBoundByAck(node: Node, height: number, offered: readonly LogEntry[]): boolean {
  for (let at = height; at <= node.log.lastHeight; at += 1) {
    const held = node.log.entry(at);
    if (held?.candidate.term !== node.term || held.ack === null) continue;
    const same = offered.some(({ candidate }) => isSame(candidate, held.candidate));
    if (!same) return true;
  }
  return false;
}

/** Takes a snapshot in place of the log, when it is further than anything here and proves itself. */
export function install(node: Node, snapshot: Snapshot): boolean {
  const { log, faults } = node;
  if (snapshot.height <= node.confirmed) return false;
  const state = installable(node.crypto, node.ledger, log.top.epochs.current, snapshot, faults);
  if (state === null) return false;
  if (log.state(snapshot.height)?.hash === state.hash) {
    persist(node, { type: 'confirmed', height: snapshot.height });
    confirmUpTo(node, snapshot.height);
    return false;
  }
  log.reset(state);
  node.snapshot = snapshot;
  node.configurations = snapshot.configurations;
  node.confirmed = state.height;
  persist(node, { type: 'snapshot', snapshot });
  node.out.snapshot = snapshot;
  return true;
}

/** A center sends its snapshot. */
export function onSnapshot(node: Node, message: SnapshotMessage): void {
  const { from, term, snapshot } = message;
  const isLiar = node.liars.has(from) && node.faults.ignoreEvidence !== true;
  if (isLiar || (term < node.term && node.faults.acceptStaleCenter !== true)) return;
  if (node.role === 'center') return;
  install(node, snapshot);
  const isFollowed = node.following?.center === from && term === node.term;
  // Its block is confirmed: whoever holds one of this height holds this one.
  const isHeld = Math.max(node.confirmed, node.log.base.height) >= snapshot.height;
  send(node, {
    type: 'append-reply',
    from: node.id,
    to: from,
    term,
    result: isHeld ? 'matched' : 'gap',
    height: isHeld ? snapshot.height : node.confirmed,
    sealed: node.log.top.height,
    ack: null,
    reason: null,
    needsElection: !isFollowed,
  });
}
