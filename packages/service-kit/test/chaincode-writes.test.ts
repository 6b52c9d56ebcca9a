import { join } from 'node:path';
import type { KeyWrite } from '@waymark/fabric';
import type { ShimOutcome } from '@waymark/testing/shim-peer';
import { startChaincode, type RunningChaincode } from '../../../chaincode/test/harness/chaincode-process.ts';
import { batchOf } from '../../../chaincode/test/harness/batches.ts';
import { createChannel, createOrganisation, type TestChannel } from '../../../chaincode/test/harness/consortium.ts';
import { openReplica, type Replica } from '../src/index.ts';
import { captureLog, removeFolders, temporaryFolder } from './fixture.ts';
import { FakeChannel, FakeContent } from './replica-fixture.ts';

let chaincode: RunningChaincode;
let channel: TestChannel;
let blocks: FakeChannel;
let replica: Replica;

beforeAll(async () => {
  chaincode = await startChaincode();
  channel = createChannel(chaincode);
  blocks = new FakeChannel();
  replica = openReplica({
    path: join(temporaryFolder(), 'replica.sqlite'),
    ledger: blocks,
    content: new FakeContent(),
    logger: captureLog().logger,
  });
  await replica.start();
}, 60_000);
afterAll(async () => {
  await replica.stop();
  await chaincode.stop();
  removeFolders();
});

/** Commits what the chaincode wrote, and puts it into the next block. */
async function commit(...[creator, name, ...args]: Parameters<TestChannel['simulate']>): Promise<void> {
  const outcome = await channel.simulate(creator, name, ...args);
  if (outcome.status !== 200) throw new Error(outcome.message);
  expect(channel.state.commit(outcome)).toBe('VALID');
  blocks.add([{ writes: writesOf(outcome), txId: outcome.txId }]);
  await replica.waitForBlock(blocks.height - 1n);
}

function writesOf(outcome: ShimOutcome): KeyWrite[] {
  return [...outcome.writes].map(([key, value]) => ({
    namespace: 'waymark',
    key,
    value: value ?? new Uint8Array(),
    isDelete: value === undefined,
  }));
}

test('everything the chaincode writes is understood, and says what the chaincode says', async () => {
  const [first, second] = await Promise.all([createOrganisation('Org1MSP'), createOrganisation('Org2MSP')]);
  const organisations = [first, second].map(({ admin }) => ({ mspId: admin.mspId, role: 'carrier' }));
  for (const { admin } of [first, second]) await commit(admin, 'participants:found', { organisations });
  expect(replica.organisation('Org2MSP')).toEqual({ mspId: 'Org2MSP', role: 'carrier' });
  expect(replica.organisation('Org3MSP')).toBeUndefined();

  for (const [node, kind] of [
    [first.center, 'center'],
    [first.outlet, 'outlet'],
  ] as const) {
    const { enrolmentId, digest } = node;
    await commit(first.admin, 'participants:registerNode', { enrolmentId, kind, certificates: [digest] });
  }
  const { outlet, center, admin } = first;
  expect(replica.node('Org1MSP', outlet.enrolmentId)).toEqual({
    mspId: 'Org1MSP',
    enrolmentId: outlet.enrolmentId,
    kind: 'outlet',
    state: 'registered',
    certificates: [{ digest: outlet.digest, state: 'valid' }],
  });

  await commit(center, 'evidence:record', [batchOf(outlet, 1), batchOf(outlet, 2)]);
  const stored = await channel.simulate(center, 'evidence:get', `Org1MSP/${outlet.enrolmentId}/2`);
  const said: unknown = JSON.parse(Buffer.from(stored.payload).toString());
  expect(replica.evidence(`Org1MSP/${outlet.enrolmentId}/2`)).toEqual(said);

  expect(replica.isRevoked('Org1MSP', outlet.enrolmentId, outlet.digest)).toBe(false);
  const revocation = { enrolmentId: outlet.enrolmentId, certificate: outlet.digest, reason: 'key-compromise' };
  await commit(admin, 'participants:revokeCertificate', revocation);
  expect(replica.isRevoked('Org1MSP', outlet.enrolmentId, outlet.digest)).toBe(true);
  await commit(admin, 'participants:revokeNode', { enrolmentId: center.enrolmentId, reason: 'ceased' });
  expect(replica.isRevoked('Org1MSP', center.enrolmentId, center.digest)).toBe(true);
  expect(replica.state).toMatchObject({ phase: 'following', evidence: 2 });
});
