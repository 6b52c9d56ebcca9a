import { execFile } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startDevnet } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { expectMember, third, write } from '../network/third-organisation.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';
import type { Crash } from './crash-points.ts';
import type { JoinPlan } from './join-child.ts';
import { networkOptions } from './network-options.ts';

const CHILD = join(import.meta.dirname, 'join-child.ts');

let chaincode: ChaincodeProcess;
let prepared: string;

beforeAll(async () => {
  chaincode = await startAssetContract();
  prepared = join(await temporaryFolder(), 'prepared');
  const devnet = await startDevnet(networkOptions(prepared, chaincode.address));
  await devnet.chaincodesReady(20_000);
  await write(devnet.organisation('Org1MSP'), 'first');
  await devnet.stop();
}, 60_000);
afterAll(async () => {
  await chaincode.stop();
  await removeTemporaryFolders();
});

const crashes: readonly Crash[] = [
  { point: 'certificates', when: 'before', passing: 0 },
  { point: 'certificates', when: 'midway', passing: 7 },
  { point: 'network description', when: 'before', passing: 0 },
  { point: 'network description', when: 'midway', passing: 0 },
  { point: 'network description', when: 'after', passing: 0 },
  { point: 'orderer block', when: 'before', passing: 0 },
  { point: 'orderer block', when: 'midway', passing: 0 },
  { point: 'orderer sync', when: 'after', passing: 0 },
  { point: 'peer block', when: 'midway', passing: 0 },
  { point: 'peer sync', when: 'before', passing: 3 },
  { point: 'ledger database opening', when: 'midway', passing: 0 },
  { point: 'peer block', when: 'midway', passing: 6 },
  { point: 'peer state', when: 'after', passing: 7 },
];

test.each(crashes)(
  'a network killed while an organisation joins ($point, $when, $passing) goes on where it was',
  async (crash) => {
    const dir = join(await temporaryFolder(), 'data');
    await cp(prepared, dir, { recursive: true });
    const plan: JoinPlan = { dir, chaincodeAddress: chaincode.address, crash };
    expect(await endOf(plan)).toBe('SIGKILL');
    const devnet = await startDevnet(networkOptions(dir, chaincode.address));
    try {
      await devnet.addOrganisation(third);
      await expectMember(devnet, 'x', ['first']);
    } finally {
      await devnet.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
  60_000,
);

/** The signal that ended the child, or its exit code and what it said. */
function endOf(plan: JoinPlan): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', CHILD, JSON.stringify(plan)],
      (error, _stdout, stderr) => {
        resolve(error === null ? `exit 0 ${stderr}` : (error.signal ?? `exit ${String(error.code)} ${stderr}`));
      },
    );
  });
}
