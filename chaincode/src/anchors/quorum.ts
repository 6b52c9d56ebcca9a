import { refuseInput } from '../errors.ts';
import { maximumMembers } from './input.ts';
import type { Configuration, Profile } from './model.ts';

/** Acknowledgements that make a block (docs/rsl.md, "Members and quorums"). */
export function ackQuorum(members: number, profile: Profile): number {
  return profile.center === 'trusted' ? majority(members) : Math.floor((members - 1 + profile.colluding) / 2) + 1;
}

/** Votes that make a center. */
export function voteQuorum(members: number, profile: Profile): number {
  return profile.center === 'trusted'
    ? majority(members)
    : members + profile.colluding + 1 - ackQuorum(members, profile);
}

/** Whether these members' acknowledgements make a block of `center`. With a lying center its own does not count. */
export function isAckQuorum({ members, profile }: Configuration, center: string, acked: ReadonlySet<string>): boolean {
  const counted = members.filter((member) => acked.has(member) && (profile.center === 'trusted' || member !== center));
  // Under a configuration that the center is not in, everybody is a department.
  const size = profile.center === 'trusted' || members.includes(center) ? members.length : members.length + 1;
  return counted.length >= ackQuorum(size, profile);
}

/** Whether these votes make a center. */
export function isVoteQuorum({ members, profile }: Configuration, voters: ReadonlySet<string>): boolean {
  return members.filter((member) => voters.has(member)).length >= voteQuorum(members.length, profile);
}

/**
 * The configuration that an argument says, checked on its own.
 *
 * @throws `input-invalid`
 */
export function readConfiguration(
  read: Omit<Configuration, 'profile'> & { readonly colluding: number | null },
  place: string,
): Configuration {
  const { colluding, ...rest } = read;
  const { members, learners, eligible } = rest;
  const all = new Set([...members, ...learners]);
  if (all.size !== members.length + learners.length || all.size > maximumMembers)
    refuseInput(`${place}.members`, 'name one twice, or too many');
  if (!isAscending(members)) refuseInput(`${place}.members`, 'are not in order');
  if (!isAscending(learners)) refuseInput(`${place}.learners`, 'are not in order');
  if (new Set(eligible).size < eligible.length || !eligible.every((member) => members.includes(member)))
    refuseInput(`${place}.eligible`, 'are not members, each once');
  if (colluding === null) return { ...rest, profile: { center: 'trusted' } };
  const departments = members.length - 1;
  // The quorum must be reachable without those in league.
  if (Math.floor((departments + colluding) / 2) + 1 > departments - colluding)
    refuseInput(`${place}.colluding`, 'is too many for so few members');
  return { ...rest, profile: { center: 'lying', colluding } };
}

function isAscending(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name);
}

function majority(members: number): number {
  return Math.floor(members / 2) + 1;
}
