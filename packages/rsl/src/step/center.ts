import { ackStatement, type Ack, type CertificateAck } from '../block/ack.ts';
import { isTime, quorumSeams } from '../block/certificate.ts';
import { type Seal, sealStatement } from '../block/header.ts';
import type { VoteCertificate } from '../election/vote.ts';
import { headerFor } from '../log/chain.ts';
import { inForce } from '../membership/epochs.ts';
import type { AppendReply } from '../messages.ts';
import { expired, matched, missed, newProgress, type Progress } from '../progress.ts';
import { isAckQuorum } from '../quorum.ts';
import { formCandidate, reproposeTop } from './candidates.ts';
import { sealTop } from './confirm.ts';
import { configurationsOf, type Leadership, type Node, peersOf, persist, persistHardState } from './node.ts';
import { replicate } from './replicate.ts';
import { becomeFollower, resetElectionTimer } from './role.ts';
import { rebuildQueue } from './submit.ts';

/** Takes office after an election. */
export function becomeCenter(node: Node, certificate: VoteCertificate): void {
  node.role = 'center';
  node.campaign = null;
  node.boundTo = node.id;
  persistHardState(node);
  const { height, term, hash } = node.log.top;
  node.following = { center: node.id, base: { height, term, hash }, required: [] };
  resetElectionTimer(node);
  node.heartbeatElapsed = 0;
  node.leadership = {
    certificate,
    progress: new Map(peersOf(node).map((peer) => [peer, newProgress(node.log.lastHeight)])),
    acks: new Map(),
    refusals: new Map(),
    isOwnDurable: false,
    hasOpened: false,
    configuration: null,
    handOver: null,
    isBeatDue: true,
    ticksSinceSeal: 0,
    checkTicks: 0,
  };
  reproposeTop(node);
  for (const [peer, progress] of node.leadership.progress) {
    node.leadership.progress.set(peer, { ...progress, next: node.log.top.height + 1 });
  }
  rebuildQueue(node);
}

/** Time passes at a center: heartbeats, and giving up when a quorum is out of reach (check quorum, Raft thesis section 6.2). */
export function tickCenter(node: Node): void {
  const leadership = node.leadership as Leadership;
  node.heartbeatElapsed += 1;
  leadership.ticksSinceSeal += 1;
  if (node.heartbeatElapsed >= node.limits.heartbeatTicks) {
    node.heartbeatElapsed = 0;
    leadership.isBeatDue = true;
    for (const [peer, progress] of leadership.progress) leadership.progress.set(peer, expired(progress));
  }
  if (leadership.handOver !== null) {
    leadership.handOver.ticks += 1;
    if (leadership.handOver.ticks >= node.limits.electionTicks) leadership.handOver = null;
  }
  leadership.checkTicks += 1;
  if (leadership.checkTicks < node.limits.electionTicks) return;
  leadership.checkTicks = 0;
  const isReachable = (member: string): boolean =>
    member === node.id || leadership.progress.get(member)?.isActive === true;
  if (!configurationsOf(node).every((configuration) => isAckQuorum(configuration, node.id, isReachable))) {
    becomeFollower(node, node.term);
    node.following = null;
    return;
  }
  for (const [peer, progress] of leadership.progress) leadership.progress.set(peer, { ...progress, isActive: false });
}

/** What a center does before it hands out its work: the next candidate, and what each follower lacks. */
export function flushCenter(node: Node): void {
  const { leadership } = node;
  if (leadership === null || node.role !== 'center') return;
  formCandidate(node);
  const peers = peersOf(node);
  for (const peer of leadership.progress.keys()) if (!peers.includes(peer)) leadership.progress.delete(peer);
  for (const peer of peers) {
    if (!leadership.progress.has(peer)) leadership.progress.set(peer, newProgress(node.log.top.height));
    replicate(node, leadership, peer);
  }
  leadership.isBeatDue = false;
}

/** An answer of a follower. */
export function onAppendReply(node: Node, reply: AppendReply): void {
  const { leadership } = node;
  if (leadership === null || reply.term !== node.term) return;
  const progress = leadership.progress.get(reply.from);
  if (progress === undefined) return;
  leadership.progress.set(reply.from, afterReply(progress, reply, node.log.lastHeight));
  if (reply.ack !== null) onAck(node, leadership, reply.from, reply.ack);
  if (reply.result === 'refused') onRefusal(node, leadership, reply);
}

function afterReply(progress: Progress, reply: AppendReply, lastHeight: number): Progress {
  if (reply.height > lastHeight) return { ...progress, isActive: true };
  if (reply.result === 'matched') return matched(progress, reply.height, reply.sealed, reply.needsElection);
  if (reply.result === 'gap') return missed(progress, reply.height, reply.needsElection);
  return { ...progress, isActive: true, inflight: Math.max(0, progress.inflight - 1), needsElection: false };
}

/** Counts an acknowledgement of exactly the candidate on top, once for each department (rsl.md, protocol step 4). */
function onAck(node: Node, leadership: Leadership, from: string, ack: Ack): void {
  const { faults, crypto } = node;
  const candidate = node.log.open?.candidate;
  if (candidate === undefined || ack.member !== from || candidate.center !== node.id) {
    if (faults.commitOldTerm !== true || candidate === undefined) return;
  }
  const isOfCandidate =
    ack.ledger === candidate.ledger &&
    ack.height === candidate.height &&
    ack.term === candidate.term &&
    ack.prev === candidate.prev &&
    ack.root === candidate.root &&
    ack.count === candidate.count;
  if (!isOfCandidate && faults.reuseCertificate !== true) {
    // It acknowledged something else for this place: it is shown the candidate again, so that one of the two turns out to be a lie.
    const progress = leadership.progress.get(from);
    const isTwin = ack.height === candidate.height && ack.term === candidate.term && progress !== undefined;
    if (isTwin) leadership.progress.set(from, missed(progress, candidate.height - 1, false));
    return;
  }
  if (ack.epoch !== candidate.epoch && faults.reuseAcksAcrossEpochs !== true) return;
  if (!isTime(ack.ackTimeMs)) return;
  if (faults.skipAckSignatures !== true && !crypto.verify(ack.member, ackStatement(ack), ack.signature)) return;
  leadership.acks.set(faults.countDuplicateAcks === true ? `${from}#${leadership.acks.size}` : from, ack);
  trySeal(node);
}

/** Seals the candidate on top when it has its quorum: the timestamp comes after verification (D3), then hash and signature. */
export function trySeal(node: Node): void {
  const { leadership, log, crypto, faults } = node;
  const candidate = log.open?.candidate;
  if (leadership === null || candidate === undefined) return;
  if (node.role !== 'center') return;
  const acks = [...leadership.acks.values()];
  const own = log.open?.ack ?? null;
  const isOwnCounted = inForce(log.top.epochs).some(({ profile }) => profile.center === 'trusted');
  if (own !== null && leadership.isOwnDurable && (isOwnCounted || faults.countCenterAck === true)) acks.push(own);
  const members = new Set(acks.map(({ member }) => member));
  const seams = quorumSeams(faults);
  const surplus = acks.length - members.size;
  const configurations = faults.configurationAtOnce === true ? inForce(log.top.epochs) : configurationsOf(node);
  const hasQuorum = configurations.every((configuration) => {
    const foreign =
      faults.countForeignAcks === true ? acks.filter((a) => !configuration.members.includes(a.member)) : [];
    return isAckQuorum(configuration, candidate.center, (member) => members.has(member), {
      ...seams,
      short: seams.short + surplus + foreign.length,
    });
  });
  if (!hasQuorum) return;
  const certificate: CertificateAck[] = acks
    .map(({ member, ackTimeMs, signature }) => ({ member, ackTimeMs, signature }))
    .sort((a, b) => (a.member < b.member ? -1 : 1));
  const verified = headerFor(crypto, log.top, candidate, certificate);
  const header = faults.stampBeforeVerification === true ? { ...verified, timestampMs: own?.ackTimeMs ?? 0 } : verified;
  const body = { header, hash: crypto.headerHash(header), center: node.id };
  const seal: Seal = { ...body, certificate, signature: crypto.sign(sealStatement(body)) };
  sealTop(node, seal);
  leadership.acks = new Map();
  leadership.refusals = new Map();
  leadership.ticksSinceSeal = 0;
  stepDownIfRemoved(node);
}

/** A center that is not in the configuration any more has done its last duty (Raft section 6). */
function stepDownIfRemoved(node: Node): void {
  const { current, pending } = node.log.top.epochs;
  if (pending !== null || current.members.includes(node.id)) return;
  becomeFollower(node, node.term);
  node.following = null;
}

/** Too many refusals: the candidate can get no quorum in this term. Its submissions go back with the reason, and the office is laid down. */
function onRefusal(node: Node, leadership: Leadership, reply: AppendReply): void {
  const open = node.log.open;
  if (open === null || reply.height + 1 !== open.candidate.height || open.candidate.center !== node.id) return;
  leadership.refusals.set(reply.from, reply.reason ?? '');
  const isPossible = configurationsOf(node).every((configuration) =>
    isAckQuorum(configuration, node.id, (member) => !leadership.refusals.has(member)),
  );
  if (isPossible) return;
  const { content, height } = open.candidate;
  if (content.kind === 'records') {
    for (const { submission } of content.audited) {
      node.out.returned.push({ department: submission.department, seq: submission.seq, reason: reply.reason ?? '' });
    }
  }
  becomeFollower(node, node.term);
  node.following = null;
  node.log.truncate(height);
  persist(node, { type: 'truncate', height });
}
