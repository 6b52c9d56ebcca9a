import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scenarios } from '../../scenario/acceptance/scenarios/index.ts';
import { chosen, readScenarioArguments } from '../scenario/arguments.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs what `npm run test:scenario` runs, on a machine without any program. */
function run(...args: string[]): Promise<Ended> {
  const script = join(import.meta.dirname, '..', 'scenario.ts');
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=DEP0123', '--disable-warning=ExperimentalWarning', script, ...args],
      { env: { PATH: '/nowhere', HOME: '/nowhere' } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
  });
}

test.each([
  ['an option that is not known', ['--frobnicate']],
  ['a word that is no option', ['docker']],
  ['a runtime that is none', ['--runtime', 'cloud']],
  ['an absence of no time', ['--away-seconds', '0']],
  ['an absence too long', ['--away-seconds', '601']],
  ['an absence in words', ['--away-seconds', 'two']],
  ['no orderers', ['--orderers', '0']],
  ['an ordering that is none', ['--ordering', 'kafka']],
  ['a topology that is not there', ['--topology', 'nowhere.yaml']],
  ['a version of what devnet does not run', ['--fabric-version', '3.1']],
  ['a version in words', ['--runtime', 'native', '--fabric-version', 'newest']],
  ['an inexact version of images', ['--runtime', 'docker', '--fabric-version', '3.1']],
])('%s is refused as input', (_name, args) => {
  expect(() => readScenarioArguments(args)).toThrow(expect.objectContaining({ code: 'input-invalid' }) as Error);
});

test('without arguments: everything on devnet, with short absences', () => {
  const { runtime, only, awayMs, fabricVersion, ordering, orderers } = readScenarioArguments([]);
  expect({ runtime, only, awayMs, fabricVersion, ordering, orderers }).toEqual({
    runtime: 'embedded',
    only: [],
    awayMs: 6_000,
    fabricVersion: undefined,
    ordering: undefined,
    orderers: undefined,
  });
});

test('--only takes parts of names and requirement ids, and refuses what fits nothing', () => {
  const all = [
    { name: 'first rule', serves: ['S1'] },
    { name: 'second rule', serves: ['S2', 'S1'] },
  ];
  expect(chosen(all, [])).toEqual(all);
  expect(chosen(all, ['second'])).toEqual([all[1]]);
  expect(chosen(all, ['S1'])).toEqual(all);
  expect(chosen(all, ['S2', 'first'])).toEqual(all);
  expect(() => chosen(all, ['S1', 'third'])).toThrow(expect.objectContaining({ code: 'input-invalid' }) as Error);
});

test('there are thirty scenarios and more, each under a name of its own, and S1 to S9 are served', () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(30);
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  const served = new Set(scenarios.flatMap(({ serves }) => serves));
  for (let number = 1; number <= 9; number += 1) expect(served).toContain(`S${String(number)}`);
});

test.each([
  ['native', 'peer and orderer'],
  ['docker', 'ocker'],
])(
  'the runtime %s asked for where it is not: exit code 2, and one line that says what is missing',
  async (runtime, missing) => {
    const { code, stdout, stderr } = await run('--runtime', runtime, '--json');
    const lines = stderr.trimEnd().split('\n');
    expect([code, lines]).toEqual([2, [expect.stringMatching(new RegExp(`^program-missing: .*${missing}`))]]);
    expect(JSON.parse(stdout)).toEqual({
      code: 'program-missing',
      message: expect.stringContaining(missing) as string,
    });
  },
);

test('docs/acceptance.md lists every scenario with what it serves, in their order', async () => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'acceptance.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (\S+(?: \S+)*) +\| (.+?) +\|$/gm)].map(
    ([, serves, name]) => `${serves ?? ''}  ${name ?? ''}`,
  );
  expect(rows.slice(1).filter((row) => !row.startsWith('-'))).toEqual(
    scenarios.map(({ serves, name }) => `${serves.join(' ')}  ${name}`),
  );
});

test('--list prints the scenarios and starts nothing', async () => {
  const { code, stdout } = await run('--list', '--only', 'S9');
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(scenarios.filter(({ serves }) => serves.includes('S9')).length);
  for (const line of lines) expect(line).toMatch(/^S9 {2}\S/);
});

test('more orderers than devnet has are not there: exit code 2', async () => {
  const { code, stderr } = await run('--ordering', 'bft');
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^unsupported: /)]);
});
