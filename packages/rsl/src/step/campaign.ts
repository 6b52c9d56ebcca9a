import { compareLogEnds } from '../election/log-end.ts';
import { isVote } from '../election/certificate.ts';
import { type HandOver, handOverStatement, type Vote, voteStatement } from '../election/vote.ts';
import type { HandOverMessage, VoteReply, VoteRequest } from '../messages.ts';
import { jointResult, tallyVotes } from '../quorum.ts';
import { tellLiars } from './blame.ts';
import { becomeCenter } from './center.ts';
import { configurationsOf, mayCenterLie, type Node, persistHardState, send } from './node.ts';
import { becomeFollower, hasLivingCenter, isEligible, resetElectionTimer } from './role.ts';

/** Stands for election: asks first whether it would be elected (thesis section 9.6), unless the center itself has ordered it. */
export function campaign(node: Node, pre: boolean, handOver: HandOver | null): void {
  if (node.role === 'center') return;
  resetElectionTimer(node);
  // Whether it may stand or not: it has not heard of a center for a time-out, and does not keep others from voting.
  node.following = null;
  tellLiars(node);
  if (!isEligible(node, node.id)) return;
  const term = node.term + 1;
  if (!Number.isSafeInteger(term + 1)) return;
  if (!pre) {
    node.term = term;
    node.votedFor = node.id;
    node.boundTo = null;
    persistHardState(node);
  }
  node.role = pre ? 'pre-candidate' : 'candidate';
  node.campaign = { pre, handOver, answers: new Map([[node.id, true]]), votes: new Map() };
  if (!pre) node.campaign.votes.set(node.id, signVote(node, term, node.id, epochOf(node)));
  const electors = new Set(configurationsOf(node).flatMap(({ members }) => members));
  for (const to of electors) {
    if (to === node.id) continue;
    const logEnd = node.log.end();
    send(node, { type: 'vote-request', from: node.id, to, term, pre, epoch: epochOf(node), logEnd, handOver });
  }
  count(node);
}

/** Somebody stands for election. */
export function onVoteRequest(node: Node, request: VoteRequest): void {
  const { from, term, pre, handOver } = request;
  if (term > node.term + node.limits.maxTermStep) return;
  if (!isEligible(node, from)) {
    deny(node, request, 'not-eligible');
    return;
  }
  if (term < node.term || (pre && term === node.term)) {
    deny(node, request, 'stale');
    return;
  }
  const isOrdered = handOver !== null && isOrderedBy(node, handOver, from);
  const isHeldBack = hasLivingCenter(node) && !isOrdered && node.following?.center !== from;
  if (isHeldBack && node.faults.preVoteIgnoresLog !== true) {
    deny(node, request, 'center-alive');
    return;
  }
  if (!pre && term > node.term) becomeFollower(node, term);
  const isUpToDate = compareLogEnds(request.logEnd, node.log.end(), mayCenterLie(node)) >= 0;
  const isBlind = node.faults.voteForStaleLog === true || (pre && node.faults.preVoteIgnoresLog === true);
  if (!isUpToDate && !isBlind) {
    deny(node, request, 'behind');
    return;
  }
  if (pre) {
    answer(node, request, true, null, null);
    return;
  }
  const isFree = (node.votedFor === null && node.boundTo === null) || node.votedFor === from;
  if (!isFree && node.faults.voteTwicePerTerm !== true) {
    deny(node, request, 'voted');
    return;
  }
  node.votedFor = from;
  persistHardState(node);
  resetElectionTimer(node);
  answer(node, request, true, signVote(node, term, from, request.epoch), null);
}

/** An answer to a campaign of this member. */
export function onVoteReply(node: Node, reply: VoteReply): void {
  const standing = node.campaign;
  if (!reply.granted && reply.term > node.term && reply.term <= node.term + node.limits.maxTermStep) {
    becomeFollower(node, reply.term);
    return;
  }
  const asked = standing?.pre === true ? node.term + 1 : node.term;
  if (standing === null || standing.pre !== reply.pre || reply.asked !== asked) return;
  if (reply.granted && !standing.pre) {
    const { vote } = reply;
    const expected = { ledger: node.ledger, epoch: epochOf(node), term: node.term, candidate: node.id };
    if (vote?.voter !== reply.from || !isVote(node.crypto, vote, expected)) return;
    // A voter above this member would not have voted for it: such a vote is a trap.
    if (compareLogEnds(vote.logEnd, node.log.end(), mayCenterLie(node)) > 0 && node.faults.voteForStaleLog !== true)
      return;
    standing.votes.set(reply.from, vote);
  }
  standing.answers.set(reply.from, reply.granted);
  if (reply.reason === 'behind') {
    send(node, { type: 'fetch', from: node.id, to: reply.from, term: node.term, height: node.confirmed });
  }
  count(node);
}

/** The center orders this member to take over. */
export function onHandOver(node: Node, { from, handOver }: HandOverMessage): void {
  if (node.following?.center !== from || !isOrderedBy(node, handOver, node.id)) return;
  if (node.faults.handOverWithoutFencing === true) {
    becomeCenter(node, { epoch: epochOf(node), term: node.term, center: node.id, base: baseOf(node), votes: [] });
    return;
  }
  campaign(node, false, handOver);
}

function count(node: Node): void {
  const { campaign: standing } = node;
  if (standing === null) return;
  const short = node.faults.voteQuorumShort === true ? 1 : 0;
  const results = configurationsOf(node).map((c) => tallyVotes(c, (member) => standing.answers.get(member), short));
  const result = jointResult(results);
  if (result === 'lost') {
    node.role = 'follower';
    node.campaign = null;
  } else if (result === 'won' && standing.pre) {
    campaign(node, false, null);
  } else if (result === 'won') {
    const votes = [...standing.votes.values()].sort((a, b) => (a.voter < b.voter ? -1 : 1));
    becomeCenter(node, { epoch: epochOf(node), term: node.term, center: node.id, base: baseOf(node), votes });
  }
}

function epochOf(node: Node): number {
  return node.log.top.epochs.current.epoch;
}

function baseOf(node: Node) {
  const { log, snapshot } = node;
  return log.entry(log.top.height)?.seal ?? snapshot?.seals[0] ?? null;
}

function signVote(node: Node, term: number, candidate: string, epoch: number): Vote {
  const body = { ledger: node.ledger, epoch, term, candidate, voter: node.id, logEnd: node.log.end() };
  return { ...body, signature: node.crypto.sign(voteStatement(body)) };
}

function isOrderedBy(node: Node, handOver: HandOver, to: string): boolean {
  const center = node.role === 'center' ? node.id : node.following?.center;
  return (
    handOver.ledger === node.ledger &&
    handOver.term === node.term &&
    handOver.to === to &&
    handOver.from === center &&
    node.crypto.verify(handOver.from, handOverStatement(handOver), handOver.signature)
  );
}

function deny(node: Node, request: VoteRequest, reason: string): void {
  answer(node, request, false, null, reason);
}

function answer(node: Node, request: VoteRequest, granted: boolean, vote: Vote | null, reason: string | null): void {
  const { from: to, term: asked, pre } = request;
  send(node, { type: 'vote-reply', from: node.id, to, term: node.term, asked, pre, granted, vote, reason });
}
