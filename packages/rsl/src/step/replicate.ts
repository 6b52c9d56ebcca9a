import { handOverStatement } from '../election/vote.ts';
import type { MemberId } from '../ids.ts';
import type { LogEntry } from '../messages.ts';
import { maySend, sent, sentSnapshot } from '../progress.ts';
import type { Leadership, Node } from './node.ts';

/** Entries in a message that shows an election, at least. */
const electionEntries = 64;

/** Sends one follower what it lacks, as far as its window allows; a heartbeat when one is due. */
export function replicate(node: Node, leadership: Leadership, to: MemberId): void {
  for (;;) {
    const progress = leadership.progress.get(to);
    if (progress === undefined) return;
    const hasNews = progress.next <= node.log.lastHeight || progress.sealedSent < node.log.top.height;
    const isBeat = leadership.isBeatDue && progress.inflight === 0;
    if (!maySend(progress, node.limits.maxInflight) || (!hasNews && !isBeat)) break;
    if (progress.next <= node.log.base.height) {
      sendSnapshot(node, leadership, to);
      break;
    }
    sendEntries(node, leadership, to);
    if (!hasNews) break;
  }
  sendHandOver(node, leadership, to);
}

function sendEntries(node: Node, leadership: Leadership, to: MemberId): void {
  const { log } = node;
  const progress = leadership.progress.get(to);
  if (progress === undefined) return;
  // Only a sealed block can be followed; a follower that has the candidate on top is sent its place below, or its seal.
  const prevHeight = Math.min(progress.next - 1, log.top.height);
  const prev = log.state(prevHeight);
  if (prev === null) return;
  const last = Math.min(log.lastHeight, prevHeight + entryLimit(node, progress.needsElection, prevHeight));
  const entries: LogEntry[] = [];
  for (let height = Math.max(prevHeight + 1, progress.next); height <= last; height += 1) {
    const entry = log.entry(height);
    if (entry !== null) entries.push({ candidate: entry.candidate, seal: entry.seal });
  }
  const prevSeal = prevHeight > progress.sealed ? (log.entry(prevHeight)?.seal ?? null) : null;
  node.out.early.push({
    type: 'append',
    from: node.id,
    to,
    term: node.term,
    prev: { height: prev.height, hash: prev.hash },
    seal: prevSeal,
    entries,
    election: progress.needsElection ? leadership.certificate : null,
  });
  const lastSent = entries.at(-1)?.candidate.height ?? prevHeight;
  leadership.progress.set(to, sent(progress, lastSent, Math.min(lastSent, log.top.height)));
}

/**
 * Entries in one message. A follower that has to judge the election must see the center's base in one piece when its own unconfirmed blocks are
 * others, because it cannot give them up before.
 */
function entryLimit({ limits, following, confirmed }: Node, needsElection: boolean, prevHeight: number): number {
  if (!needsElection || following === null) return limits.maxAppendEntries;
  const upToBase =
    prevHeight >= Math.min(confirmed, following.base.height) - 1 ? following.base.height - prevHeight : 0;
  return Math.max(limits.maxAppendEntries, electionEntries, upToBase);
}

function sendSnapshot(node: Node, leadership: Leadership, to: MemberId): void {
  const progress = leadership.progress.get(to);
  const { snapshot } = node;
  if (progress === undefined || snapshot === null) return;
  const election = progress.needsElection ? leadership.certificate : null;
  node.out.early.push({ type: 'snapshot', from: node.id, to, term: node.term, snapshot, election });
  leadership.progress.set(to, sentSnapshot(progress, snapshot.height));
}

/** Tells the chosen standby to take over, once it holds everything, sealed (Raft thesis section 3.10). */
function sendHandOver(node: Node, leadership: Leadership, to: MemberId): void {
  const { handOver } = leadership;
  const progress = leadership.progress.get(to);
  if (handOver === null || handOver.to !== to || handOver.isSent || progress === undefined) return;
  if (node.log.open !== null || progress.sealed < node.log.lastHeight) return;
  handOver.isSent = true;
  const body = { ledger: node.ledger, term: node.term, from: node.id, to };
  const signed = { ...body, signature: node.crypto.sign(handOverStatement(body)) };
  node.out.messages.push({ type: 'hand-over', from: node.id, to, term: node.term, handOver: signed });
}
