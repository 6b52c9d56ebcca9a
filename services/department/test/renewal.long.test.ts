import { copyFileSync, readFileSync } from 'node:fs';
import { toHex } from '@waymark/protocol';
import {
  caughtUp,
  metric,
  startTestConsortium,
  submitClient,
  type SubmitClient,
  type TestConsortium,
  type TestFirm,
  type TestIdentity,
  until,
} from '@waymark/testing/consortium';
import { certificateDigest, parseCertificatesPem } from '@waymark/vault';

type Center = Awaited<ReturnType<TestFirm['center']>>;
type Outlet = Awaited<ReturnType<TestFirm['outlet']>>;

let consortium: TestConsortium;
let north: TestFirm;
let center: Center;
let outlet: Outlet;
let person: TestIdentity;

beforeAll(async () => {
  consortium = await startTestConsortium();
  [north] = consortium.firms;
  person = await north.enrol('client-1', 'client');
  center = await north.center('center');
  await center.start();
  outlet = await north.outlet('depot', center);
  await outlet.start();
  await caughtUp(consortium, center, outlet);
}, 60_000);

afterAll(async () => {
  await outlet.stop();
  await center.stop();
  await consortium.stop();
});

async function register(fn: string, argument: Record<string, string>): Promise<void> {
  const given = [JSON.stringify({ enrolmentId: 'depot', ...argument })];
  await (await north.admin.submit('participants', fn, given, { retryable: true })).commit();
}

/** Puts other files where the configuration says the identity lies. */
function swap(identity: TestIdentity): void {
  copyFileSync(identity.certificateFile, outlet.config.identity.certificateFile);
  copyFileSync(identity.privateKeyFile, outlet.config.identity.privateKeyFile);
}

function runningDigest(): string {
  const [certificate] = parseCertificatesPem(readFileSync(outlet.config.identity.certificateFile, 'utf8'));
  return toHex(certificateDigest(certificate?.der ?? new Uint8Array()));
}

async function withClient<T>(work: (client: SubmitClient) => Promise<T>): Promise<T> {
  const client = submitClient(north, outlet.ports.grpc, person);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** Submits without waiting for the outcome: the center is away. Resolves when the outlet has it on disk. */
async function queue(eventIds: readonly string[]): Promise<void> {
  const before = await metric(outlet, 'waymark_batches_queued');
  const client = submitClient(north, outlet.ports.grpc, person);
  const stream = client.open();
  const records = eventIds.map((eventId, ref) => ({
    ref,
    eventId,
    revision: 0,
    consignment: 'C-1',
    schema: 'urn:waymark:test',
    collectionTime: '2026-03-01T12:00:00.000Z',
    businessIds: [],
    payloadJson: Buffer.from('{}'),
  }));
  await stream.write({ records, flush: true });
  await until(async () => (await metric(outlet, 'waymark_batches_queued')) > before);
  stream.cancel();
  client.close();
}

test('renewal in order: what is queued is anchored under the new certificate, and the old one can be retired', async () => {
  const [first] = await withClient((client) => client.submit([{ eventId: 'old certificate' }]));
  expect(first?.anchored).toBeDefined();
  const old = runningDigest();
  const renewed = await north.issue({ enrolmentId: 'depot', role: 'client' });

  await register('addCertificate', { certificate: renewed.digest });
  await center.stop();
  await queue(['queued before the swap']);
  await outlet.stop();
  swap(renewed);
  await outlet.start();
  await center.start();
  const [queued] = await withClient((client) => client.submit([{ eventId: 'queued before the swap', payload: {} }]));
  expect(queued?.anchored).toMatchObject({ repeated: true });
  await register('revokeCertificate', { certificate: old, reason: 'superseded' });
  await caughtUp(consortium, center, outlet);
  const [last] = await withClient((client) => client.submit([{ eventId: 'old one retired' }]));
  expect(last?.anchored).toBeDefined();
});

test('renewal in the wrong order: what an outlet queued under a certificate that no longer counts waits, and is not refused', async () => {
  const old = runningDigest();
  await register('revokeCertificate', { certificate: old, reason: 'key-compromise' });
  await caughtUp(consortium, center, outlet);
  await queue(['queued under a revoked certificate']);
  await until(() => outlet.log.some((line) => line.includes('certificate-revoked')));
  const renewed = await north.issue({ enrolmentId: 'depot', role: 'client' });
  await outlet.stop();
  swap(renewed);
  await outlet.start();
  await register('addCertificate', { certificate: renewed.digest });
  await caughtUp(consortium, center, outlet);
  const [waited] = await withClient((client) =>
    client.submit([{ eventId: 'queued under a revoked certificate', payload: {} }]),
  );
  expect(waited?.anchored).toMatchObject({ repeated: true });
});
