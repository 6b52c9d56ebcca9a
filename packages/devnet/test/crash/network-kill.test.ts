import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';
import { buildChild } from './build-child.ts';
import { CrashLane } from './crash-lane.ts';

let chaincode: ChaincodeProcess;
let program: string;
beforeAll(async () => {
  program = await buildChild();
  chaincode = await startAssetContract();
});
afterAll(async () => {
  await chaincode.stop();
  await rm(program, { force: true });
  await removeTemporaryFolders();
});

test('a whole network that is killed while it starts, writes, and is put back loses nothing that was told', async () => {
  const lane = new CrashLane(program, join(await temporaryFolder(), 'lane'), chaincode.address);
  await lane.live({ action: 'start', crash: { point: 'genesis block', when: 'midway', passing: 0 } });
  await lane.live({ action: 'load', crash: { point: 'peer block', when: 'midway', passing: 3 } });
  await lane.live({ action: 'snapshot' });
  await lane.live({ action: 'load', crash: { point: 'orderer block', when: 'midway', passing: 1 } });
  await lane.live({ action: 'restore', crash: { point: 'ledgers replaced', when: 'after', passing: 1 } });
  await lane.live({ action: 'load' });
  expect([...lane.deaths.keys()]).toEqual([
    'genesis block, midway',
    'peer block, midway',
    'any moment',
    'orderer block, midway',
    'ledgers replaced, after',
  ]);
  expect(lane.acknowledged).toBeGreaterThan(20);
}, 60_000);
