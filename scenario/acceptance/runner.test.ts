import type { Judged, Outcome, Rule } from './model.ts';
import { runScenarios, summaryOf } from './runner.ts';

interface Toy extends Judged {
  recovered: number;
  dead: string[];
}

function toy(): Toy {
  const system: Toy = {
    recovered: 0,
    dead: [],
    awayMs: 0,
    missing: (need) => (need === 'kubo' ? 'no kubo here' : undefined),
    checkWell: () =>
      system.dead.length === 0 ? Promise.resolve() : Promise.reject(new Error(`${system.dead.join()} dead`)),
    recover: () => {
      system.recovered += 1;
      system.dead = [];
      return Promise.resolve();
    },
  };
  return system;
}

const rule = (name: string, run: Rule<Toy>['run'], more: Partial<Rule<Toy>> = {}): Rule<Toy> => ({
  name,
  serves: ['S1'],
  run,
  ...more,
});
const nothing = (): Promise<void> => Promise.resolve();
const states = (outcomes: readonly Outcome[]): string[] => outcomes.map(({ name, state }) => `${name} ${state}`);

test('a scenario that throws has failed, with the reason, and does not keep the next one from running', async () => {
  const system = toy();
  const told: string[] = [];
  const outcomes = await runScenarios(
    [rule('one', () => Promise.reject(new Error('it does not hold'))), rule('two', nothing)],
    system,
    ({ name }) => told.push(name),
  );
  expect(states(outcomes)).toEqual(['one failed', 'two passed']);
  expect(outcomes[0]?.reason).toContain('it does not hold');
  expect(system.recovered).toBe(1);
  expect(told).toEqual(['one', 'two']);
});

test('one that leaves something dead has failed, though it did not throw; the next finds everything running', async () => {
  const system = toy();
  const outcomes = await runScenarios(
    [
      rule('one', (used) => {
        used.dead.push('peer');
        return nothing();
      }),
      rule('two', nothing),
    ],
    system,
    () => undefined,
  );
  expect(states(outcomes)).toEqual(['one failed', 'two passed']);
  expect(outcomes[0]?.reason).toContain('peer dead');
});

test('one whose need is not met is skipped with the reason, never run and never passed', async () => {
  let ran = false;
  const outcomes = await runScenarios(
    [
      rule(
        'one',
        () => {
          ran = true;
          return nothing();
        },
        { needs: ['raft', 'kubo'] },
      ),
      rule('two', nothing, { needs: ['raft'] }),
    ],
    toy(),
    () => undefined,
  );
  expect(states(outcomes)).toEqual(['one skipped', 'two passed']);
  expect(outcomes[0]?.reason).toBe('no kubo here');
  expect(ran).toBe(false);
});

test('one that does not end has failed when its time is over; an absence gives it more', async () => {
  const system = { ...toy(), awayMs: 10_000 };
  const never = (): Promise<void> => new Promise(() => undefined);
  const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));
  const outcomes = await runScenarios(
    [rule('one', never), rule('two', soon, { absences: 1 })],
    system,
    () => undefined,
    20,
  );
  expect(states(outcomes)).toEqual(['one failed', 'two passed']);
});

test('what cannot be put right does not end the run', async () => {
  const system: Toy = { ...toy(), recover: () => Promise.reject(new Error('beyond repair')) };
  const outcomes = await runScenarios(
    [rule('one', () => Promise.reject(new Error('broken'))), rule('two', nothing)],
    system,
    () => undefined,
  );
  expect(states(outcomes)).toEqual(['one failed', 'two passed']);
});

test('the figures count each state once and name what was skipped', () => {
  const outcome = (name: string, state: Outcome['state'], reason?: string): Outcome => ({
    name,
    serves: [],
    state,
    seconds: 1,
    ...(reason === undefined ? {} : { reason }),
  });
  expect(
    summaryOf([
      outcome('a', 'passed'),
      outcome('b', 'failed', 'no'),
      outcome('c', 'skipped', 'not here'),
      outcome('d', 'passed'),
    ]),
  ).toEqual({ passed: 2, failed: 1, skipped: [{ name: 'c', reason: 'not here' }] });
});
