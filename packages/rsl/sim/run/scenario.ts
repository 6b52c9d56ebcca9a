import { LIES, type Lie } from '../liar/lies.ts';
import type { Random } from '../world/random.ts';
import type { NetworkWeather } from '../world/network.ts';

/** What may happen to a world while it is in trouble, and how often among the rest. */
const TROUBLES = {
  crash: 'a member loses power',
  'crash-at-write': 'a member loses power between a write and its sync',
  'crash-all': 'every member loses power at once',
  partition: 'the network falls into two',
  'isolate-center': 'nobody hears the center, or the center hears nobody, or both',
  'one-way-cut': 'one direction between two members is cut',
  'flapping-link': 'one direction is cut and mended many times',
  mend: 'all cuts are mended',
  'disk-full': 'a disk takes nothing more for a while',
  'fsync-error': 'a sync fails',
  'clock-jump': 'a clock jumps, by up to a year',
  'clock-drift': 'a clock runs fast or slow',
  'hand-over': 'the center is told to hand over',
  membership: 'a member is added or removed, or others may become center',
  wipe: 'a machine is lost with all it held and replaced',
  'old-backup': 'a machine comes back from an old backup of its disk',
  storm: 'the network gets bad',
  calm: 'the network gets good',
  'chain-away': 'the channel cannot be reached for a while, or answers are lost after the commit',
  'slow-disk': 'syncs take long',
  pause: 'a process is stopped and goes on later (SIGSTOP)',
  compaction: 'a member forgets confirmed blocks and rewrites its disk',
} as const satisfies Record<string, string>;

export type Trouble = keyof typeof TROUBLES;

const TROUBLE_KINDS = Object.keys(TROUBLES) as Trouble[];
const LIE_KINDS = Object.keys(LIES) as Lie[];

/** One world, drawn from a seed. */
export interface Scenario {
  /** Members at the beginning, the center among them. */
  readonly members: readonly string[];
  readonly eligible: readonly string[];
  readonly profile: 'lying-center' | 'trusted-center';
  /** Departments that may be in league with the center without harm. */
  readonly tolerated: number;
  readonly lies: readonly Lie[];
  /** How many centers lie: the first ones that are elected. */
  readonly liarCount: number;
  /** Departments that sign whatever a lying center asks of them. */
  readonly colluders: readonly string[];
  readonly troubles: readonly Trouble[];
  readonly troubleEveryMs: number;
  readonly weather: NetworkWeather;
  readonly submitEveryMs: number;
  /** Virtual time at which the trouble ends. */
  readonly healAtMs: number;
}

export const CALM: NetworkWeather = {
  dropPerMille: 0,
  duplicatePerMille: 0,
  delayPerMille: 0,
  minDelayMs: 1,
  maxDelayMs: 12,
  longDelayMs: 40,
};

/** @param overcolluding more departments in league than the quorum is made for, and a center that equivocates */
export function drawScenario(random: Random, overcolluding: boolean): Scenario {
  const memberCount = overcolluding ? random.between(4, 7) : random.between(3, 7);
  const members = Array.from({ length: memberCount }, (_, index) => `m${index + 1}`);
  const lyingProfile = overcolluding || random.chance(780);
  const tolerated = lyingProfile && random.chance(500) ? mostTolerated(memberCount) : 0;
  const isLying = lyingProfile && (overcolluding || random.chance(600));
  // Liars are banned when they are found out: somebody else must be able to take over, and survive the loss of another.
  const eligible = members.slice(0, isLying ? memberCount : random.between(2, memberCount));
  // One center lies at a time, with all departments that are tolerated in league. It is found out, and the next one may lie.
  const liarCount = isLying ? random.between(1, overcolluding ? 1 : Math.max(1, Math.min(3, memberCount - 2))) : 0;
  const colluderCount = overcolluding ? enoughToBetray(memberCount, tolerated) : isLying ? tolerated : 0;
  const colluders = random.shuffled(members).slice(0, colluderCount).sort();
  const lies = overcolluding
    ? (['equivocate'] as const)
    : isLying
      ? random.shuffled(LIE_KINDS).slice(0, random.between(1, 6))
      : [];
  return {
    members,
    eligible,
    profile: lyingProfile ? 'lying-center' : 'trusted-center',
    tolerated,
    lies,
    liarCount,
    colluders,
    troubles: overcolluding ? [] : random.shuffled(TROUBLE_KINDS).slice(0, random.between(0, 10)),
    troubleEveryMs: random.between(40, 400),
    weather: overcolluding ? { ...CALM } : drawWeather(random),
    submitEveryMs: random.between(10, 60),
    healAtMs: random.between(2_000, 3_500),
  };
}

/** The most departments in league for which a quorum can still be had without them: q <= D - t. */
export function mostTolerated(memberCount: number): number {
  let tolerated = 0;
  while (isPossible(memberCount, tolerated + 1)) tolerated += 1;
  return tolerated;
}

/** Whether a ledger of so many members can tolerate so many departments in league. */
export function isPossible(memberCount: number, tolerated: number): boolean {
  const departments = memberCount - 1;
  return ((departments + tolerated) >> 1) + 1 <= departments - tolerated;
}

/** Departments that must sign both stories for two quorums to meet in nobody honest. */
function enoughToBetray(memberCount: number, tolerated: number): number {
  return 2 * (((memberCount - 1 + tolerated) >> 1) + 1) - (memberCount - 1);
}

export function drawWeather(random: Random): NetworkWeather {
  if (random.chance(300)) return { ...CALM };
  return {
    dropPerMille: random.pick([0, 0, 10, 50, 150]),
    duplicatePerMille: random.pick([0, 10, 50, 200]),
    delayPerMille: random.pick([0, 10, 50, 150]),
    minDelayMs: random.between(1, 5),
    maxDelayMs: random.between(8, 40),
    longDelayMs: random.between(100, 900),
  };
}
