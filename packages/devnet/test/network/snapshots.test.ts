import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changeBatchSize, startDevnet } from '@waymark/devnet';
import { CHAINCODE, CHANNEL, startTestNetwork, temporaryFolder, type TestNetwork } from '../harness/network.ts';

const READY_TIMEOUT_MS = 20_000;

describe('reset, snapshot and restore', () => {
  let network: TestNetwork;
  let folder: string;

  beforeAll(async () => {
    network = await startTestNetwork();
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await network.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const contract = () => network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
  const create = (id: string) => contract().submitTransaction('createAsset', id, 'Ann', '1');
  /** What is in the state, once the peers are back. */
  const ids = async (): Promise<string[]> => {
    await network.devnet.chaincodesReady(READY_TIMEOUT_MS);
    const list = Buffer.from(await contract().evaluateTransaction('listAssets', '', '')).toString();
    return (JSON.parse(list) as { id: string }[]).map(({ id }) => id);
  };

  test('a snapshot is brought back with its state and height; clients stay connected', async () => {
    await create('kept');
    const snapshot = join(folder, 'one');
    await network.devnet.snapshot(snapshot);
    const heights = network.devnet.heights();
    expect(await ids()).toEqual(['kept']);
    await create('lost');
    expect(await ids()).toEqual(['kept', 'lost']);
    await network.devnet.restore(snapshot);
    expect(network.devnet.heights()).toEqual(heights);
    expect(await ids()).toEqual(['kept']);
    await create('after');
    expect(await ids()).toEqual(['after', 'kept']);
  });

  test('a reset leaves certificates, ports and definitions, and nothing else', async () => {
    await network.devnet.reset();
    expect(await ids()).toEqual([]);
    await create('new');
    expect(await ids()).toEqual(['new']);
  });

  test('a snapshot is refused a folder that is not empty; the network goes on', async () => {
    const taken = join(folder, 'taken');
    await mkdir(taken);
    await writeFile(join(taken, 'thesis.txt'), 'years of work');
    await expect(network.devnet.snapshot(taken)).rejects.toMatchObject({ code: 'DATA_INVALID' });
    expect(await ids()).toEqual(['new']);
  });

  test('only a snapshot of this very network is brought back', async () => {
    const other = join(folder, 'other');
    const devnet = await startDevnet({ dataDir: other, organisations: [{ mspId: 'Org1MSP' }] });
    await devnet.stop();
    for (const wrong of [other, join(folder, 'nothing')]) {
      await expect(network.devnet.restore(wrong)).rejects.toMatchObject({ code: 'DATA_INVALID' });
    }
    expect(await ids()).toEqual(['new']);
  });

  test('a replacement that a crash interrupted is ended at the next start', async () => {
    const dir = join(folder, 'crashed');
    const options = { dataDir: dir, organisations: [{ mspId: 'Org1MSP' }] };
    const first = await startDevnet(options);
    await first.updateConfig(changeBatchSize({ maxMessageCount: 7 }));
    const before = first.heights();
    await first.stop();
    await rename(join(dir, 'ledgers'), join(dir, 'ledgers-next'));
    await mkdir(join(dir, 'ledgers-old'));
    await mkdir(join(dir, 'ledgers-copying'));
    const second = await startDevnet(options);
    expect(second.heights()).toEqual(before);
    await second.stop();
  });
});
