import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { CommandFailed, connectDescribed, runDevnet, type DevnetProcess } from '../harness/devnet-process.ts';
import { CHAINCODE, CHANNEL, temporaryFolder } from '../harness/network.ts';

const ASSET_CONTRACT = join(import.meta.dirname, '../../../../examples/asset-contract');
const CYCLES = 6;
const CLIENTS = 8;

describe('the command', () => {
  let chaincode: ChaincodeProcess;
  let folder: string;

  beforeAll(async () => {
    chaincode = await startAssetContract();
  });
  afterAll(() => chaincode.stop());
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const run = (...args: string[]) =>
    runDevnet('--org', 'Org1', '--org', 'Org2', '--batch-timeout', '20', '--data', folder, ...args);
  const withChaincode = () => run('--chaincode', `${CHAINCODE}=${chaincode.address}`);

  test('one line of JSON is all a client needs; the warning is on stderr; SIGINT stops it with 0', async () => {
    const devnet = await withChaincode();
    const client = await connectDescribed(devnet.description, 'Org2MSP');
    const contract = client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    await contract.submitTransaction('createAsset', 'a', 'Ann', '1');
    client.close();
    expect(devnet.stderr()).toContain('not a production network');
    expect(await devnet.kill('SIGINT')).toBe(0);
    expect(JSON.stringify(devnet.description)).not.toContain('PRIVATE KEY');
  });

  test('a folder of Node chaincode is started as a chaincode server', async () => {
    const devnet = await run('--chaincode', `${CHAINCODE}=${ASSET_CONTRACT}`);
    const client = await connectDescribed(devnet.description, 'Org1MSP');
    const contract = client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    await contract.submitTransaction('createAsset', 'a', 'Ann', '1');
    client.close();
    expect(await devnet.kill('SIGTERM')).toBe(0);
  });

  test('a folder in use by another process is refused with a code, exit 1', async () => {
    const devnet = await withChaincode();
    const failed = await withChaincode().catch((error: unknown) => error);
    await devnet.kill('SIGKILL');
    expect(failed).toBeInstanceOf(CommandFailed);
    const { exitCode, stdout } = failed as CommandFailed;
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'DATA_LOCKED' });
  });

  test('wrong usage is exit 2', async () => {
    await expect(runDevnet('--data', folder)).rejects.toMatchObject({ exitCode: 2 });
    await expect(run('--chaincode', 'nothing')).rejects.toMatchObject({ exitCode: 2 });
    await expect(run('--peers-per-org', '0')).rejects.toMatchObject({ exitCode: 2 });
  });

  test('killed at any moment under load, it has every acknowledged transaction, on all peers alike', async () => {
    const acknowledged = new Set<string>();
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const devnet = await withChaincode();
      await checkAcknowledged(devnet, acknowledged);
      const before = acknowledged.size;
      const load = submitUntilKilled(devnet, `c${cycle}`, acknowledged);
      const enough = 1 + cycle * 7;
      await load.reached(before + enough);
      await devnet.kill('SIGKILL');
      await load.ended;
    }
    const devnet = await withChaincode();
    await checkAcknowledged(devnet, acknowledged);
    expect(acknowledged.size).toBeGreaterThan(CYCLES * 10);
    expect(await devnet.kill('SIGINT')).toBe(0);
  }, 90_000);
});

interface Load {
  readonly ended: Promise<unknown>;
  reached(count: number): Promise<void>;
}

/** Clients that create assets one after the other, until the network is gone. Only what was committed is noted. */
function submitUntilKilled(devnet: DevnetProcess, prefix: string, acknowledged: Set<string>): Load {
  const waiting: { count: number; resolve: () => void }[] = [];
  const run = async (worker: number) => {
    const client = await connectDescribed(devnet.description, worker % 2 === 0 ? 'Org1MSP' : 'Org2MSP');
    const contract = client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    try {
      for (let index = 0; devnet.process.exitCode === null; index++) {
        const id = `${prefix}-${worker}-${index}`;
        await contract.submitTransaction('createAsset', id, 'Ann', '1');
        acknowledged.add(id);
        for (const { count, resolve } of waiting) if (acknowledged.size >= count) resolve();
      }
    } catch {
      // The network was killed.
    } finally {
      client.close();
    }
  };
  return {
    ended: Promise.all(Array.from({ length: CLIENTS }, (_, worker) => run(worker))),
    reached: (count) =>
      new Promise((resolve) => {
        if (acknowledged.size >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}

/** Both organisations' peers have the same assets, and all that were acknowledged. */
async function checkAcknowledged(devnet: DevnetProcess, acknowledged: ReadonlySet<string>): Promise<void> {
  const states: string[] = [];
  for (const mspId of ['Org1MSP', 'Org2MSP']) {
    const client = await connectDescribed(devnet.description, mspId);
    const contract = client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    states.push(Buffer.from(await contract.evaluateTransaction('listAssets', '', '')).toString());
    client.close();
  }
  expect(states[0]).toBe(states[1]);
  const ids = (JSON.parse(states[0] ?? '[]') as { id: string }[]).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([]);
}
