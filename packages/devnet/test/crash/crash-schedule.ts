import type { Crash, CrashPoint } from './crash-points.ts';
import type { Life } from './crash-lane.ts';

/** Small and repeatable: mulberry32. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof createRandom>;

const WHENS: readonly Crash['when'][] = ['before', 'midway', 'after'];
/** How often a point is passed in the time that a life has for it. */
const PASSINGS: Readonly<Record<CrashPoint, number>> = {
  certificates: 60,
  'genesis block': 1,
  'network description': 1,
  'ledger database opening': 6,
  'orderer block': 7,
  'orderer sync': 7,
  'orderer checkpoint': 7,
  'peer block': 26,
  'peer sync': 26,
  'peer state': 26,
  'snapshot copy': 5,
  'restore copy': 1,
  'ledgers replaced': 3,
  'old ledgers removed': 2,
};
const WRITING: readonly CrashPoint[] = [
  'orderer block',
  'orderer sync',
  'orderer checkpoint',
  'peer block',
  'peer sync',
  'peer state',
];
/** On the way up of a folder that holds a network already. */
const RECOVERING: readonly CrashPoint[] = ['ledger database opening', 'peer block', 'peer state'];
const FIRST_START: readonly CrashPoint[] = [
  'certificates',
  'genesis block',
  'network description',
  ...RECOVERING,
  'orderer block',
  'orderer checkpoint',
];
const REPLACING: readonly CrashPoint[] = ['ledgers replaced', 'old ledgers removed'];
/** A first start passes the points of writing a few times only. */
const FEW_PASSINGS = 4;

function crashAt(random: Random, points: readonly CrashPoint[], most = Infinity): Crash {
  const point = points[random(points.length)];
  const when = WHENS[random(WHENS.length)];
  if (point === undefined || when === undefined) throw new Error('a choice of points is never empty');
  return { point, when, passing: random(Math.min(PASSINGS[point], most)) };
}

/** A life that only writes. */
export function writingLife(random: Random): Life {
  return { action: 'load', crash: crashAt(random, WRITING), acksAfter: 25 };
}

/** The next life of a folder that is in use. Restores need a snapshot. */
export function nextLife(random: Random, hasSnapshot: boolean): Life {
  const acksAfter = 25;
  const dice = random(100);
  if (dice < 50) return writingLife(random);
  if (dice < 60) return { action: 'config', crash: crashAt(random, WRITING), acksAfter };
  if (dice < 72) return { action: 'start', crash: crashAt(random, RECOVERING), acksAfter };
  if (dice < 78) return { action: 'reset', crash: crashAt(random, REPLACING), acksAfter: 5 };
  if (dice < 88 && hasSnapshot)
    return { action: 'restore', crash: crashAt(random, ['restore copy', ...REPLACING]), acksAfter: 5 };
  // Every other snapshot comes to its end: there must be some to bring back.
  return random(2) === 0
    ? { action: 'snapshot', acksAfter: 5 }
    : { action: 'snapshot', crash: crashAt(random, ['snapshot copy']), acksAfter: 5 };
}

/** The first life of a folder. */
export function firstLife(random: Random): Life {
  return { action: 'start', crash: crashAt(random, FIRST_START, random(2) === 0 ? 60 : FEW_PASSINGS), acksAfter: 5 };
}
