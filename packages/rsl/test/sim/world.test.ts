import { readSimArguments, SimUsageError } from '../../sim/run/arguments.ts';
import { createClock, EPOCH_MS } from '../../sim/world/clock.ts';
import { createDisk } from '../../sim/world/disk.ts';
import { createEventQueue } from '../../sim/world/events.ts';
import { createNetwork } from '../../sim/world/network.ts';
import { type Random, seededRandom } from '../../sim/world/random.ts';
import { CALM } from '../../sim/run/scenario.ts';

function drawn(random: Random): number[] {
  return Array.from({ length: 8 }, () => random.next());
}

test('the same seed draws the same numbers, another one others', () => {
  const draw = (seed: number): number[] => drawn(seededRandom(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(draw(2 ** 40 + 1)).not.toEqual(draw(1));
});

test('events happen in the order of their times, and of their planning at one time', () => {
  const events = createEventQueue();
  const seen: string[] = [];
  events.after(5, () => seen.push('c'));
  events.after(1, () => seen.push('a'));
  events.after(5, () => seen.push('d'));
  events.after(2, () => events.after(0, () => seen.push('b')));
  while (events.step());
  expect(seen).toEqual(['a', 'b', 'c', 'd']);
  expect(events.nowMs()).toBe(5);
});

test('a crash loses nothing that was synced, and everything behind the tear', () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const disk = createDisk<number>();
    disk.write([1, 2]);
    disk.sync();
    disk.write([3, 4, 5]);
    disk.crash(seededRandom(seed));
    const left = disk.read();
    expect(left).toEqual([1, 2, 3, 4, 5].slice(0, left.length));
    expect(left.length).toBeGreaterThanOrEqual(2);
  }
});

test('a full disk takes nothing, a failed sync makes nothing durable', () => {
  const disk = createDisk<number>();
  disk.fault = 'full';
  expect(disk.write([1])).toBe(false);
  expect(disk.read()).toEqual([]);
  disk.fault = 'fsync-error';
  expect(disk.write([1])).toBe(true);
  expect(disk.sync()).toBe(false);
  expect(disk.backup()).toEqual([]);
});

test('a cut direction carries nothing, the other one still does', () => {
  const events = createEventQueue();
  const arrived: string[] = [];
  const network = createNetwork<string>(events, seededRandom(1), new Map(), { ...CALM }, (from, to) =>
    arrived.push(`${from}>${to}`),
  );
  network.cut('a', 'b');
  network.send('a', 'b', 'lost');
  network.send('b', 'a', 'heard');
  while (events.step());
  expect(arrived).toEqual(['b>a']);
});

test('a clock jumps, drifts and is set right', () => {
  const events = createEventQueue();
  const clock = createClock(events);
  clock.jump(-1_000);
  clock.drift(100_000);
  events.after(1_000, () => undefined);
  events.step();
  expect(clock.wallMs()).toBe(EPOCH_MS + 1_000 - 1_000 + 100);
  clock.correct();
  expect(clock.wallMs()).toBe(EPOCH_MS + 1_000);
});

test.each([
  [[]],
  [['--seeds', '0']],
  [['--seeds', 'many']],
  [['--seeds', '1e3']],
  [['--seeds', '5', '--seed', '1']],
  [['--seed', '-1']],
  [['--seed', '9007199254740993']],
  [['--seed', '1', '--control']],
  [['--planted', '--trace']],
  [['--unknown']],
  [['--seeds', '5', 'more']],
  [['--threads', '2']],
])('the command line %j is refused with a reason', (args) => {
  expect(() => readSimArguments(args)).toThrow(SimUsageError);
});

test('the four forms of the command line are understood', () => {
  expect(readSimArguments(['--seeds', '9', '--json'])).toEqual({
    command: { kind: 'seeds', count: 9, from: 1, threads: 2 },
    json: true,
  });
  expect(readSimArguments(['--seed', '3', '--planted', 'forgetVote']).command).toEqual({
    kind: 'replay',
    seed: 3,
    trace: false,
    bug: 'forgetVote',
  });
  expect(readSimArguments(['--planted', '--json']).command).toEqual({ kind: 'planted', maxSeeds: 1_000, threads: 2 });
  expect(readSimArguments(['--control']).command).toEqual({ kind: 'control', count: 50, from: 1, threads: 2 });
});
