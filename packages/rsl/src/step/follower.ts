import { sealProblem } from '../block/certificate.ts';
import type { Seal } from '../block/header.ts';
import { electionProblem, requiredReproposals } from '../election/certificate.ts';
import type { VoteCertificate } from '../election/vote.ts';
import { candidateEvidence, sealEvidence } from '../evidence.ts';
import { noBlock } from '../ids.ts';
import type { ChainState } from '../log/chain.ts';
import type { Epochs } from '../membership/epochs.ts';
import type { AppendMessage, AppendReply, LogEntry } from '../messages.ts';
import { acknowledgement } from './candidates.ts';
import { proposalProblem, sealMismatch } from './accept.ts';
import { compareStatements } from './blame.ts';
import { catchUp } from './catch-up.ts';
import { walk } from './chain-walk.ts';
import { isSame, sealTop } from './confirm.ts';
import { type Following, type Node, persist } from './node.ts';
import { becomeFollower, bind, resetElectionTimer } from './role.ts';

/** A center pushes entries (Raft section 5.3; D5, D6). */
export function onAppend(node: Node, message: AppendMessage): void {
  const { from, term, prev } = message;
  const isStale = term < node.term && node.faults.acceptStaleCenter !== true;
  const isLiar = node.liars.has(from) && node.faults.ignoreEvidence !== true;
  if (isStale || isLiar) {
    reply(node, message, 'stale', node.log.top.height, isLiar ? 'equivocation' : null);
    return;
  }
  if (node.following?.center !== from || term !== node.term) {
    const problem = follow(node, message);
    if (problem === 'other-center') {
      reply(node, message, 'stale', node.log.top.height, problem);
      return;
    }
    if (problem !== null) {
      reply(node, message, 'gap', gapHeight(node, message), problem, true);
      return;
    }
  }
  resetElectionTimer(node);
  const start = matchPrevious(node, message);
  if (typeof start === 'number') {
    reply(node, message, 'gap', start, null);
    return;
  }
  if (start === 'equivocation') {
    reply(node, message, 'refused', prev.height, start);
    return;
  }
  if (leavesBase(node, message)) {
    reply(node, message, 'gap', node.confirmed, 'base-missing', true);
    return;
  }
  for (const entry of message.entries) {
    if (entry.candidate.height <= node.log.base.height) continue;
    const problem = takeEntry(node, node.following as Following, entry);
    if (problem !== null) {
      refuse(node, message, entry, problem);
      return;
    }
  }
  reply(node, message, 'matched', prev.height + message.entries.length, null);
}

/**
 * Whether these entries would lead away from the block that the center's term starts from (docs/rsl.md, "Confirmed"): the center was elected for a
 * chain with this block in it, and may neither replace it nor put another one in the place of those below.
 */
function leavesBase(node: Node, { prev, entries }: AppendMessage): boolean {
  const { log, following, faults } = node;
  if (following === null || faults.leaveBase === true || faults.skipElectionCheck === true) return false;
  const { base } = following;
  if (base.height <= log.base.height)
    return entries.some(({ candidate, seal }) => seal === null && candidate.height <= base.height);
  if (prev.height >= base.height) return log.state(base.height)?.hash !== base.hash;
  const above = entries.find(({ candidate }) => candidate.height === base.height);
  if (above !== undefined) return above.seal?.hash !== base.hash;
  // They end below it: then nothing that is here may give way yet.
  return entries.some(({ candidate: { height }, seal }) => {
    const held = log.entry(height)?.seal ?? null;
    return seal === null || (held !== null && held.hash !== seal.hash);
  });
}

/**
 * Checks the election of a center that is not followed yet. A member that is too far behind to judge it takes what blocks prove themselves and
 * asks for more.
 * @returns null when it is followed now
 */
function follow(node: Node, message: AppendMessage): string | null {
  const { election, from, term } = message;
  const isOther = term === node.term && node.boundTo !== null && node.boundTo !== from;
  if (isOther && node.faults.handOverWithoutFencing !== true) return 'other-center';
  if (election === null || election.term !== term || election.center !== from) {
    return node.faults.skipElectionCheck === true ? followBlindly(node, message) : 'election-missing';
  }
  const problem = checkElection(node, election, message);
  if (problem === 'base-unknown') catchUp(node, message.entries);
  return problem === 'base-unknown' ? checkElection(node, election, message) : problem;
}

/** Checks a vote certificate on this member's own chain, or on what the message proves on top of it; follows its center when it holds. */
export function checkElection(
  node: Node,
  election: VoteCertificate,
  message: Pick<AppendMessage, 'entries' | 'prev' | 'seal'>,
): string | null {
  const baseHeight = election.base?.header.height ?? 0;
  const isCompacted = baseHeight < node.log.base.height;
  const base = isCompacted
    ? compactedBase(node, election.base)
    : stateAt(node, baseHeight, election.base?.hash ?? '', message);
  if (base === null) return 'base-unknown';
  const problem = electionProblem(node.crypto, node.ledger, election, base, base.epochs, node.faults);
  if (problem !== null) return problem;
  startFollowing(node, election, base);
  return null;
}

function startFollowing(node: Node, election: VoteCertificate, base: ChainState): void {
  becomeFollower(node, election.term);
  bind(node, election.center);
  const { height, term, hash } = base;
  node.following = {
    center: election.center,
    base: { height, term, hash },
    required: requiredReproposals(election, base),
  };
}

function followBlindly(node: Node, { from, term }: AppendMessage): null {
  becomeFollower(node, term);
  bind(node, from);
  node.following = { center: from, base: { height: 0, term: 0, hash: '' }, required: [] };
  return null;
}

function stateAt(
  node: Node,
  height: number,
  hash: string,
  { entries, prev, seal }: Pick<AppendMessage, 'entries' | 'prev' | 'seal'>,
): ChainState | null {
  const { log } = node;
  if (height === log.base.height) return log.base.hash === hash ? log.base : null;
  const held = log.state(height);
  if (held?.hash === hash) return held;
  const before = log.state(prev.height);
  if (before?.hash === prev.hash) {
    return walk(node, before, entries).states.find((state) => state.height === height && state.hash === hash) ?? null;
  }
  const { open } = log;
  if (open === null || seal === null || seal.hash !== prev.hash) return null;
  const sealedTop = walk(node, log.top, [{ candidate: open.candidate, seal }]).states[1];
  if (sealedTop === undefined || sealedTop.height !== prev.height) return null;
  const above = walk(node, sealedTop, entries).states;
  return above.find((state) => state.height === height && state.hash === hash) ?? null;
}

/** A base that is compacted here: its seal proves it, and what is compacted is confirmed, so that it is the only one of its height. */
function compactedBase(node: Node, seal: Seal | null): ChainState | null {
  const height = seal?.header.height ?? 0;
  const state = { ...node.log.base, height, epochs: epochsBelow(node, height) };
  if (seal === null) return { ...state, term: 0, hash: noBlock };
  const problem = sealProblem(node.crypto, seal, [epochsBelow(node, height - 1).current], node.faults);
  return problem === null ? { ...state, term: seal.header.term, hash: seal.hash } : null;
}

/** Configurations that were in force after a compacted block, from the proofs that are kept of all changes. */
function epochsBelow(node: Node, height: number): Epochs {
  let current = node.firstConfiguration;
  for (const { configuration, seals } of node.configurations) {
    const proposed = seals[0]?.header.height ?? 0;
    const confirming = seals.at(-1)?.header.height ?? 0;
    if (confirming <= height) current = configuration;
    else if (proposed <= height) return { current, pending: { configuration, height: proposed } };
  }
  return { current, pending: null };
}

/** Finds the block that the entries stand on. Answers a height to continue from when it is not here. */
function matchPrevious(node: Node, message: AppendMessage): null | number | 'equivocation' {
  const { prev, seal } = message;
  const { log } = node;
  if (prev.height <= log.base.height) return null;
  const held = log.entry(prev.height);
  if (held === null) return log.top.height;
  if (held.seal?.hash === prev.hash) return null;
  if (seal === null || seal.hash !== prev.hash) return below(node, prev.height);
  const state = log.state(prev.height - 1);
  if (state === null) return log.top.height;
  if (held.seal !== null) {
    const isLie = compareStatements(node, sealEvidence(held.seal), sealEvidence(seal));
    return isLie && seal.center === message.from ? 'equivocation' : below(node, prev.height);
  }
  if (sealMismatch(node, state, held.candidate, seal) === null) {
    sealTop(node, seal);
    return null;
  }
  const isLie = compareStatements(node, candidateEvidence(held.candidate), sealEvidence(seal));
  return isLie && seal.center === message.from ? 'equivocation' : below(node, prev.height);
}

/** Takes one entry into the log. @returns reason code when it cannot be taken */
function takeEntry(node: Node, following: Following, entry: LogEntry): string | null {
  const { log, faults } = node;
  const { candidate, seal } = entry;
  const { height } = candidate;
  const held = log.entry(height);
  const below = log.state(height - 1);
  if (below === null) return 'height-gap';
  const heldSeal = held?.seal ?? null;
  const isOtherSeal = seal !== null && heldSeal !== null && heldSeal.hash !== seal.hash;
  if (held !== null && isSame(held.candidate, candidate) && !isOtherSeal) return takeAgain(node, following, entry);
  if (held !== null && faults.ackTwicePerHeight !== true) {
    if (height <= node.confirmed) return 'confirmed-conflict';
    if (isOtherSeal) compareStatements(node, sealEvidence(heldSeal), sealEvidence(seal));
    else compareStatements(node, candidateEvidence(held.candidate), candidateEvidence(candidate));
    // What this member acknowledged in its present term stays: an acknowledgement of another one would make two quorums possible.
    const isBinding = held.candidate.term === node.term && (held.ack !== null || held.seal !== null);
    if (isBinding || (node.liars.has(following.center) && faults.ignoreEvidence !== true)) return 'equivocation';
  }
  if (seal !== null) {
    const problem = walk(node, below, [entry]).problem;
    if (problem !== null) return problem;
    log.put(candidate, null);
    persist(node, { type: 'candidate', candidate, ack: null });
    sealTop(node, seal);
    return null;
  }
  const problem = proposalProblem(node, below, candidate, following);
  if (problem !== null) return problem;
  const ack = acknowledgement(node, candidate);
  log.put(candidate, ack);
  if (faults.forgetAck !== true) persist(node, { type: 'candidate', candidate, ack });
  return null;
}

/** An entry that is here already: it may bring its seal, or be acknowledged only now. */
function takeAgain(node: Node, following: Following, { candidate, seal }: LogEntry): string | null {
  const { log } = node;
  const held = log.entry(candidate.height);
  const below = log.state(candidate.height - 1);
  if (held === null || below === null) return 'height-gap';
  if (held.seal !== null) return null;
  if (held.candidate.salt !== candidate.salt) {
    // Nobody signs the salt: whichever the seal agrees with is the right one.
    log.put(candidate, held.ack);
    persist(node, { type: 'candidate', candidate, ack: held.ack });
  }
  if (seal !== null) {
    const problem = sealMismatch(node, below, candidate, seal);
    if (problem === null) sealTop(node, seal);
    return problem;
  }
  if (held.ack !== null || candidate.term !== node.term) return null;
  const problem = proposalProblem(node, below, candidate, following);
  if (problem !== null) return problem;
  const ack = acknowledgement(node, candidate);
  log.acknowledge(ack);
  persist(node, { type: 'ack', ack });
  return null;
}

function refuse(node: Node, message: AppendMessage, { candidate }: LogEntry, reason: string): void {
  const { refusedCandidate } = node;
  if (refusedCandidate !== null) {
    compareStatements(node, candidateEvidence(refusedCandidate), candidateEvidence(candidate));
  }
  node.refusedCandidate = candidate;
  const { height, term, center } = candidate;
  node.out.alerts.push({ type: 'refused', height, term, center, reason });
  reply(node, message, 'refused', height - 1, reason);
}

/** Where an unjudged center should continue: above the last of its blocks that is here, or above what is confirmed here. */
function gapHeight(node: Node, { prev, entries }: AppendMessage): number {
  const { log } = node;
  if (prev.height > log.top.height) return log.top.height;
  if (prev.height >= log.base.height && log.state(prev.height)?.hash !== prev.hash) return below(node, prev.height);
  let height = Math.max(prev.height, log.base.height);
  for (const { candidate, seal } of entries) {
    if (candidate.height === height + 1 && seal !== null && log.state(height + 1)?.hash === seal.hash) height += 1;
  }
  return height;
}

/** Where two logs that differ at `height` surely agree: at what is confirmed here. */
function below(node: Node, height: number): number {
  return Math.max(0, Math.min(height - 1, node.confirmed));
}

function reply(
  node: Node,
  message: Pick<AppendMessage, 'from' | 'term'>,
  result: AppendReply['result'],
  height: number,
  reason: string | null,
  needsElection = false,
): void {
  const { log, faults } = node;
  const isHeld = log.open !== null && log.open.candidate.height <= height && result === 'matched';
  const own = isHeld ? log.open.ack : null;
  const ack = own !== null && (own.term === node.term || faults.commitOldTerm === true) ? own : null;
  const answer: AppendReply = {
    type: 'append-reply',
    from: node.id,
    to: message.from,
    term: result === 'stale' ? node.term : message.term,
    result,
    height: Math.max(0, height),
    sealed: log.top.height,
    ack,
    reason,
    needsElection,
  };
  (faults.ackBeforePersist === true ? node.out.early : node.out.messages).push(answer);
}
