import { rm } from 'node:fs/promises';
import { startDevnet, type ChaincodeOptions, type Devnet } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { connectClient, type TestClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, sameHeight, temporaryFolder, twoOrganisations } from '../harness/network.ts';

const READY_TIMEOUT_MS = 20_000;

describe('a chaincode that is upgraded on a channel with data', () => {
  let first: ChaincodeProcess;
  let second: ChaincodeProcess;
  let dataDir: string;
  let devnet: Devnet;
  let client: TestClient;

  beforeAll(async () => {
    dataDir = await temporaryFolder();
    first = await startAssetContract({ packageId: 'assets_1.0:00ff' });
    second = await startAssetContract({ packageId: 'assets_2.0:00ff' });
    devnet = await startDevnet(twoOrganisations(dataDir, first.address));
    await devnet.chaincodesReady(READY_TIMEOUT_MS);
    const { gateway, user } = devnet.organisation('Org1MSP');
    client = connectClient(gateway, user);
  }, 60_000);
  afterAll(async () => {
    client.close();
    await devnet.stop();
    await first.stop();
    await second.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const contract = () => client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
  const next = (): ChaincodeOptions => ({
    name: CHAINCODE,
    version: '2.0',
    sequence: 2,
    packageId: second.packageId,
    address: second.address,
  });

  test('a definition that does not follow, or whose servers are not there, changes nothing', async () => {
    await expect(devnet.upgradeChaincode({ ...next(), sequence: 3 })).rejects.toMatchObject({
      code: 'DEFINITION_REFUSED',
    });
    await expect(devnet.upgradeChaincode({ ...next(), address: 'nowhere' })).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    });
    await first.stop();
    await expect(contract().submitTransaction('raw', 'early', 'x')).rejects.toThrow();
    first = await startAssetContract({ packageId: first.packageId, port: Number(first.address.split(':').at(-1)) });
    await devnet.chaincodesReady(READY_TIMEOUT_MS);
    await contract().submitTransaction('raw', 'before', 'x');
  });

  test('under load at most the transactions that read the old definition are lost; afterwards the new servers have all the data', async () => {
    const failures: unknown[] = [];
    let isUpgraded = false;
    let kept = 0;
    const load = async (worker: number): Promise<void> => {
      for (let index = 0; !isUpgraded || index < 5; index += 1) {
        try {
          await contract().submitTransaction('raw', `load-${worker}-${index}`, 'x');
          kept += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    const loads = [0, 1, 2].map(load);
    await devnet.upgradeChaincode(next());
    isUpgraded = true;
    await Promise.all(loads);
    for (const failure of failures)
      expect(String(failure)).toMatch(/MVCC_READ_CONFLICT|ProposalResponsePayloads do not match/);
    expect(failures.length).toBeLessThanOrEqual(3);
    await first.stop();
    const read = await contract().evaluateTransaction('readRaw', 'before');
    expect(Buffer.from(read).toString()).toBe(Buffer.from('x').toString('base64'));
    await contract().submitTransaction('raw', 'after', 'y');
    expect(kept).toBeGreaterThan(10);
  });

  test('what the channel has is not done again; peers that come up and the whole network anew use the new servers', async () => {
    await sameHeight(devnet);
    const heights = devnet.heights();
    await devnet.upgradeChaincode(next());
    expect(devnet.heights()).toEqual(heights);
    const fault = await devnet.faults.failPeer('peer1.org1.example.com');
    await fault.heal();
    await devnet.chaincodesReady(READY_TIMEOUT_MS);
    await devnet.stop();
    devnet = await startDevnet(twoOrganisations(dataDir, '', { chaincodes: [next()] }));
    await devnet.chaincodesReady(READY_TIMEOUT_MS);
    const { gateway, user } = devnet.organisation('Org1MSP');
    client.close();
    client = connectClient(gateway, user);
    const read = await contract().evaluateTransaction('readRaw', 'after');
    expect(Buffer.from(read).toString()).toBe(Buffer.from('y').toString('base64'));
  });
});
