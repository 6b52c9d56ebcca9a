import type { MemberId } from '../ids.ts';
import { configurationsOf, type Node, persistHardState } from './node.ts';

/** Draws the next election time-out: from `electionTicks` to twice that, the preferred standbys a little earlier (Raft section 5.2). */
export function resetElectionTimer(node: Node): void {
  const { electionTicks } = node.limits;
  const eligible = configurationsOf(node)[0]?.eligible ?? [];
  const rank = Math.max(0, eligible.indexOf(node.id));
  node.electionElapsed = 0;
  node.timeoutTicks = electionTicks + (node.random() % electionTicks) + rank;
}

/** Gives up whatever role it had, in this term or a later one. */
export function becomeFollower(node: Node, term: number): void {
  if (term > node.term) {
    node.term = term;
    node.votedFor = null;
    node.boundTo = null;
    node.following = null;
    persistHardState(node);
  }
  node.role = 'follower';
  node.campaign = null;
  node.leadership = null;
  resetElectionTimer(node);
}

/** Binds this member to the one center it follows in this term. */
export function bind(node: Node, center: MemberId): void {
  if (node.boundTo === center) return;
  node.boundTo = center;
  persistHardState(node);
}

/** Whether a living center keeps this member from voting for another (Raft section 6; thesis section 4.2.3). */
export function hasLivingCenter(node: Node): boolean {
  if (node.role === 'center') return true;
  const { following } = node;
  if (following === null || node.liars.has(following.center)) return false;
  return node.electionElapsed < node.limits.electionTicks;
}

/** Whether this member may stand for election. */
export function isEligible(node: Node, member: MemberId): boolean {
  if (node.liars.has(member) && node.faults.ignoreEvidence !== true) return false;
  return configurationsOf(node).some(({ eligible }) => eligible.includes(member));
}
