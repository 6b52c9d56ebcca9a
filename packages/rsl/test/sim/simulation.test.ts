import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { hunt } from '../../sim/run/jobs.ts';
import { LEAST_EVENTS, runSeed } from '../../sim/run/seed.ts';

const root = join(import.meta.dirname, '../../../..');

test('a handful of worlds, lying and trusted: every rule holds, and each run is long enough', () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const { violations, events, blocksConfirmed } = runSeed(seed);
    expect({ seed, violations }).toEqual({ seed, violations: [] });
    expect(events).toBeGreaterThanOrEqual(LEAST_EVENTS);
    expect(blocksConfirmed).toBeGreaterThan(0);
  }
});

test('a seed replays byte for byte, in this process and in another one', () => {
  const lines: string[][] = [[], []];
  const [first, second] = lines.map((kept) => runSeed(7, { print: (line) => kept.push(line) }));
  expect(lines[0]).toEqual(lines[1]);
  expect(first).toEqual(second);
  const output = execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'scripts/sim.ts', '--seed', '7', '--json'],
    { cwd: root, encoding: 'utf8' },
  );
  expect(JSON.parse(output)).toEqual(first);
});

test('another seed is another run', () => {
  expect(runSeed(7).digest).not.toBe(runSeed(8).digest);
});

test.each([
  ['sendBeforeSync', 'durability'],
  ['ackQuorumShort', 'certificate'],
  ['countCenterAck', 'certificate'],
  ['voteTwicePerTerm', 'one-vote'],
  ['ackTwicePerHeight', 'no-regress'],
  ['stampBeforeVerification', 'timestamp'],
] as const)('the planted bug %s is found by %s', (bug, checker) => {
  const found = hunt(bug, 30);
  expect(found.checker).toBe(checker);
});

test('more departments in league than tolerated get two stories confirmed, and that is noticed', () => {
  const { violations } = runSeed(1, { overcolluding: true });
  expect(violations.map(({ checker }) => checker)).toContain('agreement');
});
