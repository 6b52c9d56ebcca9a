import type { MemberId } from './ids.ts';
import type { Configuration, Profile } from './membership/configuration.ts';

/**
 * Acknowledgements that make a block. Lying center: q = floor((D + t) / 2) + 1 of the D = n - 1 departments, the center's own not counted
 * (rsl.md, "Members and quorums"); trusted center: a majority of all, its own included (Raft section 5.3).
 */
export function ackQuorum(members: number, profile: Profile): number {
  if (profile.center === 'trusted') return majority(members);
  return Math.floor((members - 1 + profile.colluding) / 2) + 1;
}

/**
 * Votes that make a center: the least that meets every ack quorum in t + 1 members, q_ack + q_vote >= n + t + 1 (rsl.md); trusted center: a
 * majority (Raft section 5.2).
 */
export function voteQuorum(members: number, profile: Profile): number {
  if (profile.center === 'trusted') return majority(members);
  return members + profile.colluding + 1 - ackQuorum(members, profile);
}

/** Departments that may crash while blocks are still made: D >= q + c (rsl.md). Below zero when the profile is impossible. */
export function crashesSurvived(members: number, profile: Profile): number {
  const available = profile.center === 'trusted' ? members : members - 1;
  return available - ackQuorum(members, profile);
}

function majority(members: number): number {
  return Math.floor(members / 2) + 1;
}

/** Whether these members' acknowledgements make a block of `center`, under one configuration. Members outside it do not count. */
export function isAckQuorum(
  configuration: Configuration,
  center: MemberId,
  acknowledged: (member: MemberId) => boolean,
  seams: { readonly countsCenter?: boolean; readonly short?: number; readonly countsLearners?: boolean } = {},
): boolean {
  const { members, learners, profile } = configuration;
  const countsCenter = profile.center === 'trusted' || seams.countsCenter === true;
  let count = 0;
  for (const member of members) if ((countsCenter || member !== center) && acknowledged(member)) count += 1;
  if (seams.countsLearners === true) for (const learner of learners) if (acknowledged(learner)) count += 1;
  // Under a configuration that the center is not in, everybody is a department.
  const size = profile.center === 'trusted' || members.includes(center) ? members.length : members.length + 1;
  return count >= ackQuorum(size, profile) - (seams.short ?? 0);
}

/** What an election has come to, under one configuration. */
export type VoteResult = 'won' | 'lost' | 'pending';

/** Counts votes: `true` for, `false` against, `undefined` not in yet. */
export function tallyVotes(
  configuration: Configuration,
  voteOf: (member: MemberId) => boolean | undefined,
  short = 0,
): VoteResult {
  const { members, profile } = configuration;
  let granted = 0;
  let open = 0;
  for (const member of members) {
    const vote = voteOf(member);
    if (vote === true) granted += 1;
    else if (vote === undefined) open += 1;
  }
  const needed = voteQuorum(members.length, profile) - short;
  if (granted >= needed) return 'won';
  return granted + open >= needed ? 'pending' : 'lost';
}

/** An election under two configurations at once is won when it is won under both. */
export function jointResult(results: readonly VoteResult[]): VoteResult {
  if (results.includes('lost')) return 'lost';
  return results.every((result) => result === 'won') ? 'won' : 'pending';
}
