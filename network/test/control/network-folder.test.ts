import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  beginNetworkFolder,
  readNetworkFolder,
  removeNetworkFolder,
  writeTopology,
} from '../../src/control/network-folder.ts';
import { takeRunFolder } from '../../src/control/run-folder.ts';
import { withOrganisation } from '../../src/topology.ts';
import { exampleOrganisation, smallTopology } from '../example-topology.ts';

describe('the folder of a network', () => {
  let parent: string;
  const folder = (): string => join(parent, 'network');
  const begin = async (): Promise<void> =>
    beginNetworkFolder(folder(), { runtime: 'embedded', topology: await smallTopology() });
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'waymark-folder-'));
  });
  afterEach(async () => {
    await rm(parent, { recursive: true });
  });

  test('is made, and read as it was made', async () => {
    expect(await readNetworkFolder(folder())).toBeUndefined();
    const topology = await smallTopology();
    const made = { runtime: 'docker', topology, fabricVersion: '2.5.16', publish: '10.0.0.7' } as const;
    await beginNetworkFolder(folder(), made);
    expect(await readNetworkFolder(folder())).toEqual(made);
  });

  test('is not taken when it holds things of somebody else, and those stay as they are', async () => {
    await mkdir(folder());
    await writeFile(join(folder(), 'letter.txt'), 'mine');
    await expect(begin()).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: expect.stringContaining('letter.txt') as string,
    });
    expect(await readdir(folder())).toEqual(['letter.txt']);
  });

  test('somebody’s own topology in it is not written over', async () => {
    await mkdir(folder());
    await writeFile(join(folder(), 'topology.yaml'), 'mine: true');
    await expect(begin()).rejects.toMatchObject({ code: 'configuration-invalid' });
    expect(await readFile(join(folder(), 'topology.yaml'), 'utf8')).toBe('mine: true');
  });

  test.each([
    ['before the mark was whole', ['network.json.partial']],
    ['before the topology was begun', ['network.json']],
    ['before the topology was whole', ['network.json', 'topology.yaml.partial']],
  ])('whose beginning was cut short %s is begun again', async (_name, there) => {
    await begin();
    const mark = await readFile(join(folder(), 'network.json'), 'utf8');
    await rm(folder(), { recursive: true });
    await mkdir(folder());
    for (const name of there) {
      const text = name === 'network.json' ? mark : mark.slice(0, 5);
      await writeFile(join(folder(), name), text);
    }
    expect(await readNetworkFolder(folder())).toBeUndefined();
    await begin();
    expect((await readNetworkFolder(folder()))?.runtime).toBe('embedded');
  });

  test.each([
    ['no JSON', '{'],
    ['somebody else’s JSON', '{"networks":[]}'],
    ['a runtime that is not known', '{"version":1,"runtime":"cloud"}'],
    ['another format', '{"version":2,"runtime":"embedded"}'],
  ])('a mark with %s is refused with its file', async (_name, text) => {
    await begin();
    await writeFile(join(folder(), 'network.json'), text);
    await expect(readNetworkFolder(folder())).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: expect.stringContaining(join(folder(), 'network.json')) as string,
    });
  });

  test('keeps an organisation that has come', async () => {
    await begin();
    const grown = withOrganisation(await smallTopology(), exampleOrganisation(5));
    await writeTopology(folder(), grown);
    expect((await readNetworkFolder(folder()))?.topology).toEqual(grown);
  });

  test('is removed with all that a network makes, also what a write that was cut short has left', async () => {
    await begin();
    for (const name of ['run', 'devnet', 'organisations', 'content', 'fabric', 'docker']) {
      await mkdir(join(folder(), name, 'deeper'), { recursive: true });
      await writeFile(join(folder(), name, 'deeper', 'file'), '');
    }
    for (const name of ['ports.json', 'ports.json.partial', 'profile.yaml', 'registered.json', 'lock', 'lock-journal'])
      await writeFile(join(folder(), name), '');
    expect(await removeNetworkFolder(folder())).toEqual([]);
    expect(existsSync(folder())).toBe(false);
  });

  test('what somebody else has put there stays, and is named', async () => {
    await begin();
    await writeFile(join(folder(), 'letter.txt'), 'mine');
    await mkdir(join(folder(), 'photos'));
    expect((await removeNetworkFolder(folder())).toSorted()).toEqual(['letter.txt', 'photos']);
    expect((await readdir(folder())).toSorted()).toEqual(['letter.txt', 'photos']);
    expect(await readFile(join(folder(), 'letter.txt'), 'utf8')).toBe('mine');
    expect(await readNetworkFolder(folder())).toBeUndefined();
  });
});

test('of two supervisors of a network one may work, until it lets go', async () => {
  const run = await mkdtemp(join(tmpdir(), 'waymark-run-'));
  try {
    const first = takeRunFolder(run);
    expect(() => takeRunFolder(run)).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringContaining('another process starts or stops this network') as string,
      }) as Error,
    );
    first.release();
    takeRunFolder(run).release();
  } finally {
    await rm(run, { recursive: true });
  }
});
