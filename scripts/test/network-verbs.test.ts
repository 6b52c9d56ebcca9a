import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beginNetworkFolder, readTopology } from '@waymark/network';
import { networkUsage, readNetworkArguments, verbs } from '../network/arguments.ts';
import { runVerb } from '../network/verbs.ts';

const topologyFile = join(import.meta.dirname, '..', '..', 'network', 'topology.yaml');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs what `./test-network.sh` runs, on a machine without any program. */
function run(...args: string[]): Promise<Ended> {
  const script = join(import.meta.dirname, '..', 'network.ts');
  return new Promise((ended) => {
    execFile(
      process.execPath,
      ['--disable-warning=DEP0123', '--disable-warning=ExperimentalWarning', script, ...args],
      { env: { PATH: '/nowhere', HOME: '/nowhere' } },
      (error, stdout, stderr) => {
        ended({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
  });
}

test.each([
  ['nothing', [], 'say what to do: up, '],
  ['a verb that is none', ['start'], 'the verb takes up, '],
  ['an option that is not known', ['up', '--frobnicate'], ''],
  ['an option without its value', ['up', '--data'], ''],
  ['an empty folder', ['clean', '--data', ''], '--data takes a folder'],
  ['a word too many', ['status', 'now'], 'what is "now"?'],
  ['two words too many', ['logs', 'devnet', 'center'], 'what is "center"?'],
  ['a runtime that is none', ['up', '--runtime', 'cloud'], '--runtime takes embedded, native, docker'],
  ['an ordering that is none', ['up', '--ordering', 'kafka'], '--ordering takes raft, bft'],
  ['a topology that is not there', ['up', '--topology', 'nowhere.yaml'], 'there is no topology nowhere.yaml'],
  ['no orderers', ['up', '--orderers', '0'], '--orderers takes a number from 1 to 64'],
  ['too many orderers', ['up', '--orderers', '65'], '--orderers takes a number from 1 to 64'],
  ['half an orderer', ['up', '--orderers', '1.5'], '--orderers takes a number'],
  ['orderers in words', ['up', '--orderers', 'three'], '--orderers takes a number'],
  ['an inexact version', ['up', '--fabric-version', '3.1'], '--fabric-version takes an exact version'],
  ['an address that is a name', ['up', '--publish', 'localhost'], '--publish takes an IP address'],
  ['no lines', ['logs', '--lines', '0'], '--lines takes a number from 1 to 100000'],
  ['too many lines', ['logs', '--lines', '100001'], '--lines takes a number'],
])('%s is refused as input, and the help is named', (_name, args, reason) => {
  let refusal: unknown;
  try {
    readNetworkArguments(args);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ code: 'input-invalid' });
  expect((refusal as Error).message).toContain(reason);
  expect((refusal as Error).message).toMatch(/; see \.\/test-network\.sh --help$/);
});

test('without options: S12’s topology in a folder here, on what the machine has', () => {
  const { verb, dataDir, runtime, topologyFile, json, lines, follow, words } = readNetworkArguments(['up']);
  expect({ verb, dataDir, runtime, topologyFile, json, lines, follow, words }).toEqual({
    verb: 'up',
    dataDir: resolve('.waymark-network'),
    runtime: undefined,
    topologyFile: join(import.meta.dirname, '..', '..', 'network', 'topology.yaml'),
    json: false,
    lines: 100,
    follow: false,
    words: [],
  });
});

test('every verb is understood, with what belongs to it', () => {
  for (const verb of verbs) expect(readNetworkArguments([verb]).verb).toBe(verb);
  const { words, lines, follow } = readNetworkArguments(['logs', 'devnet', '--lines', '5', '-f']);
  expect({ words, lines, follow }).toEqual({ words: ['devnet'], lines: 5, follow: true });
  const up = readNetworkArguments(['up', '--topology', 'full', '--publish', '::1', '--fabric-version', '2.5.16']);
  expect(up.topologyFile).toMatch(/topology\.full\.yaml$/);
  expect([up.publish, up.fabricVersion]).toEqual(['::1', '2.5.16']);
});

test('the help names every verb, and is no error', async () => {
  const { code, stdout, stderr } = await run('--help');
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: networkUsage, stderr: '' });
  for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
});

test('what is not understood: exit code 2, one line, and with --json one line on stdout as well', async () => {
  const { code, stdout, stderr } = await run('up', '--frobnicate', '--json');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^input-invalid: Unknown option '--frobnicate'[^\n]*\n$/);
  expect(JSON.parse(stdout)).toMatchObject({ code: 'input-invalid' });
});

test('what this machine has not: exit code 2, and one line that says what is missing', async () => {
  const { code, stderr } = await run('up', '--runtime', 'native', '--data', '/nowhere/network');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(/^program-missing: [^\n]*peer and orderer[^\n]*\n$/) as string,
  });
});

describe('on a machine that has nothing', () => {
  const path = process.env['PATH'];
  let folder: string;
  const said: string[] = [];
  const act = (...args: string[]): Promise<number> =>
    runVerb(readNetworkArguments([...args, '--data', folder]), (text) => said.push(text));
  beforeEach(async () => {
    process.env['PATH'] = '/nowhere';
    said.length = 0;
    folder = await mkdtemp(join(tmpdir(), 'waymark-verbs-'));
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await rm(folder, { recursive: true });
  });

  test.each([
    ['native', 'peer'],
    ['docker', 'ocker'],
  ])('up --runtime %s says what is missing, and makes nothing', async (runtime, missing) => {
    await expect(act('up', '--runtime', runtime)).rejects.toMatchObject({
      code: 'program-missing',
      message: expect.stringMatching(new RegExp(`^[^\\n]*${missing}[^\\n]*$`)) as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ['--ordering', 'bft'],
    ['--orderers', '3'],
    ['--fabric-version', '3.1.5'],
    ['--publish', '127.0.0.1'],
  ])('up --runtime embedded with %s, which devnet has not, is refused, and makes nothing', async (option, value) => {
    await expect(act('up', '--runtime', 'embedded', option, value)).rejects.toMatchObject({ code: 'input-invalid' });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each(['status', 'logs', 'demo', 'drill', 'deploy'])(
    '%s says that there is no network, and how to make one',
    async (verb) => {
      await expect(act(verb)).rejects.toMatchObject({
        code: 'unavailable',
        message: `there is no network in ${folder}; ./test-network.sh up makes one`,
      });
    },
  );

  test.each([
    ['down', 'there is nothing to stop'],
    ['clean', 'there is nothing to remove'],
  ])('%s has nothing to do, and that is no error', async (verb, text) => {
    await writeFile(join(folder, 'letter.txt'), 'mine');
    expect(await act(verb)).toBe(0);
    expect(said).toEqual([text]);
    expect(await readdir(folder)).toEqual(['letter.txt']);
  });

  test.each([
    ['that is not there', undefined, 'cannot be read'],
    ['that is no YAML', 'a: [1', 'is not YAML'],
    ['that describes no organisation', 'just words', ''],
    ['with an organisation that lacks its outlets', 'mspId: XMSP\ndomain: x.example', ''],
  ])('add-org with a file %s is refused, and the file is named', async (_name, text, reason) => {
    const file = join(folder, 'organisation.yaml');
    if (text !== undefined) await writeFile(file, text);
    const data = join(folder, 'network');
    await beginNetworkFolder(data, { runtime: 'embedded', topology: await readTopology(topologyFile) });
    const code = expect.stringMatching(/^(input|configuration)-invalid$/) as string;
    await expect(
      runVerb(readNetworkArguments(['add-org', file, '--data', data]), () => undefined),
    ).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${file}${reason === '' ? '' : ` ${reason}`}`) as string,
    });
  });

  test.each([
    ['--runtime', 'docker'],
    ['--ordering', 'bft'],
    ['--orderers', '3'],
    ['--topology', 'full'],
  ])('up with another %s than the network was made with is refused', async (option, value) => {
    const topology = await readTopology(topologyFile);
    await beginNetworkFolder(join(folder, 'network'), { runtime: 'native', topology });
    const given = readNetworkArguments(['up', option, value, '--data', join(folder, 'network')]);
    await expect(runVerb(given, () => undefined)).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringMatching(/ was made with (--|another topology)/) as string,
    });
  });
});
