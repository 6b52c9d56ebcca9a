import { appendFile, mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changeBatchSize, startDevnet } from '@waymark/devnet';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

const ORDERER = 'orderer.example.com';
const PEER = 'peer0.org1.example.com';
let count = 10;
const raiseBatchCount = (config: Parameters<ReturnType<typeof changeBatchSize>>[0]) =>
  changeBatchSize({ maxMessageCount: count++ })(config);

/** A stopped network with some blocks. */
async function stoppedNetwork(): Promise<string> {
  const dataDir = join(await temporaryFolder(), 'data');
  const devnet = await startDevnet(optionsFor(dataDir));
  for (let block = 0; block < 4; block++) await devnet.updateConfig(raiseBatchCount);
  await devnet.stop();
  return dataDir;
}

const optionsFor = (dataDir: string) => ({ dataDir, organisations: [{ mspId: 'Org1MSP' }] });
const blockFile = (dataDir: string, node: string) => join(dataDir, 'ledgers', node, 'blocks/blockfile_000000');

describe.each([
  ['the orderer', ORDERER],
  ['a peer', PEER],
])('block files of %s', (_name, node) => {
  test('a bit that flips anywhere in a closed record is refused, with the name of the file', async () => {
    const dataDir = await stoppedNetwork();
    const path = blockFile(dataDir, node);
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 23)) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      await writeFile(path, damaged);
      await expect(startDevnet(optionsFor(dataDir))).rejects.toMatchObject({
        code: 'LEDGER_CORRUPT',
        message: expect.stringContaining(path) as string,
      });
      expect(await readFile(path)).toHaveLength(whole.length);
    }
    await writeFile(path, whole);
    const devnet = await startDevnet(optionsFor(dataDir));
    expect(devnet.heights()).toEqual({ [PEER]: 5n });
    await devnet.stop();
  });

  test('zeros in place of a record in the middle are damage, at the end an unfinished write', async () => {
    const dataDir = await stoppedNetwork();
    const path = blockFile(dataDir, node);
    const whole = await readFile(path);
    const zeroed = Buffer.from(whole);
    zeroed.fill(0, 0, 64);
    await writeFile(path, zeroed);
    await expect(startDevnet(optionsFor(dataDir))).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
    await writeFile(path, whole);
    await appendFile(path, Buffer.alloc(200));
    const devnet = await startDevnet(optionsFor(dataDir));
    expect(devnet.heights()).toEqual({ [PEER]: 5n });
    await devnet.stop();
    expect(await readFile(path)).toEqual(whole);
  });

  test('committed blocks that were cut off are missed', async () => {
    const dataDir = await stoppedNetwork();
    const path = blockFile(dataDir, node);
    await truncate(path, (await readFile(path)).length - 1);
    await expect(startDevnet(optionsFor(dataDir))).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
      message: expect.stringContaining(path) as string,
    });
  });
});

test('a state that was lost or altered is made again from the blocks', async () => {
  const dataDir = await stoppedNetwork();
  const state = join(dataDir, 'ledgers', PEER, 'state');
  const manifest = (await readdir(state)).find((name) => name.startsWith('MANIFEST')) ?? '';
  await writeFile(join(state, manifest), 'nothing of the kind');
  const damaged = await startDevnet(optionsFor(dataDir));
  expect(damaged.heights()).toEqual({ [PEER]: 5n });
  await damaged.stop();
  await rm(state, { recursive: true });
  const lost = await startDevnet(optionsFor(dataDir));
  expect(lost.heights()).toEqual({ [PEER]: 5n });
  await lost.stop();
});

test("a database that was altered is not taken for one that is in use: the orderer's, and the lock", async () => {
  const dataDir = await stoppedNetwork();
  for (const [place, code] of [
    [join('ledgers', ORDERER, 'marker'), 'LEDGER_CORRUPT'],
    ['lock', 'DATA_INVALID'],
  ] as const) {
    const dir = join(dataDir, place);
    const current = await readFile(join(dir, 'CURRENT'));
    await writeFile(join(dir, 'CURRENT'), 'nothing of the kind');
    await expect(startDevnet(optionsFor(dataDir))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(dir) as string,
    });
    await writeFile(join(dir, 'CURRENT'), current);
  }
  await (await startDevnet(optionsFor(dataDir))).stop();
});

test('a snapshot that was altered is not brought back, and the network goes on with what it had', async () => {
  const dataDir = await stoppedNetwork();
  const snapshot = join(await temporaryFolder(), 'snapshot');
  const devnet = await startDevnet(optionsFor(dataDir));
  await devnet.snapshot(snapshot);
  await devnet.updateConfig(raiseBatchCount);
  const path = blockFile(snapshot, PEER);
  const bytes = await readFile(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await expect(devnet.restore(snapshot)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  expect(devnet.heights()).toEqual({ [PEER]: 6n });
  // What the attempt left is not in the way of the next one.
  await devnet.reset();
  expect(devnet.heights()).toEqual({ [PEER]: 1n });
  await devnet.stop();
  await mkdir(join(dataDir, 'ledgers-copying'), { recursive: true });
  await (await startDevnet(optionsFor(dataDir))).stop();
});
