import { join } from 'node:path';
import type { KeyWrite } from '@waymark/fabric';
import type { ShimOutcome } from '@waymark/testing/shim-peer';
import { startChaincode, type RunningChaincode } from '../../../chaincode/test/harness/chaincode-process.ts';
import { batchOf } from '../../../chaincode/test/harness/batches.ts';
import {
  createChannel,
  createOrganisation,
  parseAnswer,
  type Answer,
  type TestChannel,
} from '../../../chaincode/test/harness/consortium.ts';
import {
  anchorArgument,
  configurationArgument,
  createTestLedger,
  encoded,
  registerTestLedger,
} from '../../../chaincode/test/harness/private-ledger.ts';
import { encodeFork } from '@waymark/rsl';
import { openReplica, type CommittedAnchor, type CommittedReport, type Replica } from '../src/index.ts';
import { captureLog, removeFolders, temporaryFolder } from './fixture.ts';
import { FakeChannel, FakeContent } from './replica-fixture.ts';

let chaincode: RunningChaincode;
let channel: TestChannel;
let blocks: FakeChannel;
let replica: Replica;

beforeAll(async () => {
  chaincode = await startChaincode();
}, 60_000);
beforeEach(async () => {
  channel = createChannel(chaincode);
  blocks = new FakeChannel();
  replica = openReplica({
    path: join(temporaryFolder(), 'replica.sqlite'),
    ledger: blocks,
    content: new FakeContent(),
    logger: captureLog().logger,
  });
  await replica.start();
});
afterEach(async () => {
  await replica.stop();
});
afterAll(async () => {
  await chaincode.stop();
  removeFolders();
});

/** Commits what the chaincode wrote, and puts it into the next block. */
async function commit(...[creator, name, ...args]: Parameters<TestChannel['simulate']>): Promise<Answer> {
  const outcome = await channel.simulate(creator, name, ...args);
  if (outcome.status !== 200) throw new Error(outcome.message);
  expect(channel.state.commit(outcome)).toBe('VALID');
  blocks.add([{ writes: writesOf(outcome), txId: outcome.txId }]);
  await replica.waitForBlock(blocks.height - 1n);
  return parseAnswer(outcome);
}

/** What a function that only reads answers. */
async function said(...call: Parameters<TestChannel['simulate']>): Promise<Answer> {
  return parseAnswer(await channel.simulate(...call));
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
  const answer: unknown = JSON.parse(Buffer.from(stored.payload).toString());
  expect(replica.evidence(`Org1MSP/${outlet.enrolmentId}/2`)).toEqual(answer);

  expect(replica.isRevoked('Org1MSP', outlet.enrolmentId, outlet.digest)).toBe(false);
  const revocation = { enrolmentId: outlet.enrolmentId, certificate: outlet.digest, reason: 'key-compromise' };
  await commit(admin, 'participants:revokeCertificate', revocation);
  expect(replica.isRevoked('Org1MSP', outlet.enrolmentId, outlet.digest)).toBe(true);
  await commit(admin, 'participants:revokeNode', { enrolmentId: center.enrolmentId, reason: 'ceased' });
  expect(replica.isRevoked('Org1MSP', center.enrolmentId, center.digest)).toBe(true);
  expect(replica.state).toMatchObject({ phase: 'following', evidence: 2 });
});

test('what the chaincode writes of private ledgers is understood, and says what the chaincode says', async () => {
  const [a, b] = await Promise.all([createOrganisation('Org1MSP'), createOrganisation('Org2MSP')]);
  const organisations = [a, b].map(({ admin }) => ({ mspId: admin.mspId, role: 'carrier' }));
  for (const { admin } of [a, b]) await commit(admin, 'participants:found', { organisations });
  const { enrolmentId, digest } = a.center;
  await commit(a.admin, 'participants:registerNode', { enrolmentId, kind: 'center', certificates: [digest] });
  const ledger = await createTestLedger(a, { extra: ['department-3'] });
  expect(replica.ledgerHead('Org1MSP')).toBeUndefined();
  await registerTestLedger({ ...channel, submit: commit }, a, ledger);
  expect(replica.ledgerHead('Org1MSP')).toMatchObject({ last: 0, hash: null, term: 0 });

  const anchors: CommittedAnchor[] = [];
  const reports: CommittedReport[] = [];
  replica.onAnchor((anchor) => anchors.push(anchor));
  replica.onReport((report) => reports.push(report));
  const waiting = replica.waitForAnchor('Org1MSP', 2);
  ledger.elect('center-1');
  for (let round = 0; round < 4; round += 1) ledger.submit('department-1');
  await commit(a.center, 'anchors:anchor', anchorArgument(ledger.anchorOf(1, 3, { withElection: true })));
  await commit(a.center, 'anchors:anchor', anchorArgument(ledger.anchorOf(4, 4)));
  expect((await waiting).last).toBe(3);
  expect((await replica.waitForAnchor('Org1MSP', 4)).first).toBe(4);

  ledger.change({ type: 'add-learner', member: 'department-3' });
  const change = Array.from({ length: ledger.confirmed() }, (_, index) => index + 1).find(
    (height) => ledger.block(height).candidate.content.kind === 'configuration',
  );
  await commit(a.center, 'anchors:configure', configurationArgument(ledger, change ?? 0));

  const other = await createTestLedger(a, { identities: ledger.identities });
  other.elect('center-1');
  for (let round = 0; round < 4; round += 1) other.submit('department-2');
  const fork = encodeFork({ ledger: ledger.name, first: other.confirmation(3), second: null });
  await commit(b.admin, 'anchors:reportFork', 'Org1MSP', encoded(fork));

  const { ledger: registered, head } = await said(b.admin, 'anchors:ledger', 'Org1MSP');
  expect(registered).toMatchObject(replica.privateLedger('Org1MSP') ?? {});
  expect(head).toEqual({ v: 1, ...replica.ledgerHead('Org1MSP') });
  const { items } = await said(b.admin, 'anchors:list', 'Org1MSP', '1', '10');
  const shown = replica.anchors('Org1MSP', 1, 10);
  expect(items).toEqual(shown.map(({ blockNumber: _, ...anchor }) => ({ v: 1, ...anchor })));
  expect(shown).toEqual(anchors);
  expect(shown.map(({ first, last }) => [first, last])).toEqual([[1, 3], [4, 4]]); // prettier-ignore
  expect([1, 3, 4, 5].map((height) => replica.anchorCovering('Org1MSP', height)?.last)).toEqual([3, 3, 4, undefined]);
  expect(replica.anchorCovering('Org2MSP', 1)).toBeUndefined();
  for (const epoch of [1, 2]) {
    const configuration = await said(b.admin, 'anchors:configuration', 'Org1MSP', String(epoch));
    expect(configuration).toMatchObject(replica.ledgerConfiguration('Org1MSP', epoch) ?? { not: 'there' });
  }
  expect(replica.privateLedger('Org1MSP')).toMatchObject({ epoch: 2 });
  expect(new Set(replica.ledgerCertificates('Org1MSP').map(({ member }) => member))).toEqual(
    new Set(ledger.identities.keys()),
  );
  const { items: listed } = await said(b.admin, 'anchors:listReports', 'Org1MSP', '', '10');
  expect(listed).toEqual(reports.map(({ blockNumber: _, ...report }) => ({ v: 1, ...report })));
  expect(replica.ledgerReports('Org1MSP', 10)).toEqual(reports);
});
