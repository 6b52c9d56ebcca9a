import { createHash, createPrivateKey, createPublicKey, type webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '@waymark/fabric';
import type { Header } from '@waymark/rsl';
import {
  createAnchorContract,
  createAnchorWatch,
  createLogger,
  openAlertBook,
  openReplica,
  type CommittedReport,
  type LedgerAlert,
  type Replica,
} from '@waymark/service-kit';
import { startTestConsortium, until, type TestConsortium } from '@waymark/testing/consortium';
import { createAuthority, type TestIdentity } from '../../../../chaincode/test/harness/identities.ts';
import {
  createTestLedger,
  registrationOf,
  standardMembers,
  type TestLedger,
} from '../../../../chaincode/test/harness/private-ledger.ts';
import { createAnchorRelay } from '../../src/anchoring/anchor-relay.ts';
import type { AnchorRelay } from '../../src/anchoring/ports.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
const logger = createLogger({ service: 'test', level: 'silent' });

async function keysOf(privateKeyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, true, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']),
  };
}

let folder: string;
let consortium: TestConsortium;
let ledger: TestLedger;
let rewritten: TestLedger;
let replica: Replica;
const channelAs = new Map<string, Ledger>();
const relays: AnchorRelay[] = [];
const alerts: LedgerAlert[] = [];
const published = new Set<number>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'anchoring-'));
  consortium = await startTestConsortium();
  const [north] = consortium.firms;
  const identities = new Map<string, TestIdentity>();
  for (const member of [...standardMembers, 'department-3']) {
    const enrolled = await north.enrol(member, member.startsWith('center') ? 'center' : 'department');
    const { certificatePem, privateKeyPem, certificateDer } = enrolled;
    channelAs.set(member, north.ledgerAs(enrolled));
    identities.set(member, {
      mspId: north.mspId,
      enrolmentId: member,
      certificatePem,
      digest: createHash('sha256').update(certificateDer).digest('hex'),
      keys: await keysOf(privateKeyPem),
    });
  }
  const admin = identities.get('center-1');
  if (admin === undefined) throw new Error('no member');
  const organisation = { admin, authority: await createAuthority(north.mspId) };
  ledger = await createTestLedger(organisation, { identities, extra: ['department-3'] });
  rewritten = await createTestLedger(organisation, { identities, extra: ['department-3'] });
  replica = openReplica({
    path: join(folder, 'replica.sqlite'),
    ledger: north.admin,
    content: { get: () => Promise.reject(new Error('no batches here')) },
    logger,
  });
  await replica.start();
  const registered = await north.admin.submit('anchors', 'registerLedger', [JSON.stringify(registrationOf(ledger))]);
  await registered.commit();
}, 120_000);
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
  await replica.stop();
  await consortium.stop();
  rmSync(folder, { recursive: true });
});

function channelOf(member: string): Ledger {
  const channel = channelAs.get(member);
  if (channel === undefined) throw new Error(member);
  return channel;
}

function startRelay(member: string, wrap = (call: () => Promise<void>) => call()): AnchorRelay {
  const contract = createAnchorContract(channelOf(member), 'NorthMSP');
  const relay = createAnchorRelay({
    mspId: 'NorthMSP',
    chain: {
      height: () => ledger.confirmed(),
      header: (height) => ledger.block(height).seal.header,
      configuration(epoch) {
        for (let height = 1; height <= ledger.confirmed(); height += 1) {
          const { content } = ledger.block(height).candidate;
          if (content.kind === 'configuration' && content.configuration.epoch === epoch)
            return { height, configuration: content.configuration };
        }
        return null;
      },
    },
    member: {
      id: member,
      crypto: ledger.cryptoOf(member),
      isCenter: () => ledger.center() === member,
      term: () => ledger.block(ledger.confirmed()).seal.header.term,
      confirmation: (height) => ledger.confirmation(height),
      election: () => ledger.election(member),
    },
    channel: {
      head: () => contract.head(),
      configure: (bytes) => contract.configure(bytes),
      async anchor(bytes) {
        const outcome = await contract.anchor(bytes);
        await wrap(() => Promise.resolve());
        return outcome;
      },
    },
    replica,
    publish(first, last) {
      for (let height = first; height <= last; height += 1) published.add(height);
      return Promise.resolve();
    },
    needsElection: () => undefined,
    onAlert: (alert) => void alerts.push(alert),
    onRetry: () => undefined,
    limits: { minIntervalMs: 50, maxRangeBlocks: 3, emptyBlocksWaitMs: 100, pollMs: 50, firstRetryMs: 20 },
  });
  relays.push(relay);
  relay.start();
  return relay;
}

function expectEachOnce(height: number): void {
  const covered = replica
    .anchors('NorthMSP', 1, 1_000)
    .flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
  expect(covered).toEqual(Array.from({ length: height }, (_, index) => index + 1));
  expect(covered.filter((at) => !published.has(at))).toEqual([]);
}

test('two relays whose outcomes are lost, a change of the center and one of the members: each block is anchored once', async () => {
  ledger.elect('center-1');
  let calls = 0;
  const losing = async (call: () => Promise<void>): Promise<void> => {
    calls += 1;
    if (calls % 2 === 0) throw new Error('the outcome is lost');
    await call();
  };
  const [one, other] = [startRelay('center-1', losing), startRelay('center-1', losing)];
  for (let round = 0; round < 12; round += 1) {
    ledger.submit('department-1');
    one.wake();
    other.wake();
  }
  await replica.waitForAnchor('NorthMSP', ledger.confirmed(), AbortSignal.timeout(60_000));
  await one.stop();
  expectEachOnce(ledger.confirmed());

  ledger.change({ type: 'add-learner', member: 'department-3' });
  ledger.submit('department-2');
  await replica.waitForAnchor('NorthMSP', ledger.confirmed(), AbortSignal.timeout(60_000));
  expect(replica.privateLedger('NorthMSP')).toMatchObject({ epoch: 2 });

  ledger.elect('center-2');
  ledger.submit('department-2');
  startRelay('center-2');
  await replica.waitForAnchor('NorthMSP', ledger.confirmed(), AbortSignal.timeout(60_000));
  expectEachOnce(ledger.confirmed());
  expect(replica.ledgerHead('NorthMSP')).toMatchObject({ center: 'center-2', last: ledger.confirmed() });
  expect(alerts).toEqual([]);
}, 120_000);

test('a chain that its members rewrote is found out by a department, and the proof is on the channel', async () => {
  rewritten.elect('center-1');
  const anchored = replica.anchors('NorthMSP', 1, 1)[0]?.last ?? 0;
  while (rewritten.confirmed() < ledger.confirmed()) rewritten.submit('department-2');
  const contract = createAnchorContract(channelOf('department-1'), 'NorthMSP');
  const book = await openAlertBook({
    folder: join(folder, 'alerts'),
    ledger: ledger.name,
    member: 'department-1',
    logger,
    report: (proof) => contract.report('NorthMSP', proof),
  });
  const watch = createAnchorWatch({
    mspId: 'NorthMSP',
    ledger: ledger.name,
    replica,
    chain: {
      height: () => rewritten.confirmed(),
      header: (height): Header => rewritten.block(height).seal.header,
    },
    hashing: rewritten.cryptoOf('department-1'),
    member: { anchored: () => undefined, confirmation: (height) => rewritten.confirmation(height) },
    alerts: book,
    logger,
    sweep: { pauseMs: 1, intervalMs: 1_000 },
  });
  const reports: CommittedReport[] = [];
  replica.onReport((report) => reports.push(report));
  await book.start();
  await watch.start();
  await until(() => reports.some(({ height }) => height === anchored));
  expect(reports[0]).toMatchObject({ kind: 'fork', msp: 'NorthMSP', proven: true, by: { node: 'department-1' } });
  await until(() => book.entries().every(({ report }) => report === 'reported'));
  expect(watch.state.mismatches).toBe(replica.anchors('NorthMSP', 1, 1_000).length);
  await watch.stop();
  await book.stop();
}, 60_000);
