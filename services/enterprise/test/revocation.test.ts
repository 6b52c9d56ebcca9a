import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrganisationCa } from '@waymark/devnet/ca';
import {
  caughtUp,
  restClient,
  startTestConsortium,
  submitClient,
  type TestConsortium,
  type TestFirm,
  type TestIdentity,
  until,
} from '@waymark/testing/consortium';
import { CenterClient, clientCredentials, clientOptions, openBidi } from '@waymark/transport';
import { buildMessage, rawOutlet, type RawOutlet } from './harness/raw-outlet.ts';

type Center = Awaited<ReturnType<TestFirm['center']>>;
type Outlet = Awaited<ReturnType<TestFirm['outlet']>>;

let consortium: TestConsortium;
let north: TestFirm;
let center: Center;
let outlet: Outlet;
let crlFile: string;

beforeAll(async () => {
  consortium = await startTestConsortium();
  [north] = consortium.firms;
  crlFile = join(consortium.folder, 'north.crl');
  await revoke(await north.issue({ enrolmentId: 'before', role: 'client' }));
  const msp = { rootFiles: [north.rootFile], crlFiles: [crlFile] };
  center = await north.center('center', { msp });
  await center.start();
  outlet = await north.outlet('branch', center, { msp });
  await outlet.start();
}, 60_000);

afterAll(async () => {
  await outlet.stop();
  await center.stop();
  await consortium.stop();
});

/** As an operator does it: the CA revokes, and the new list goes where the services look. The channel hears nothing of it. */
async function revoke(identity: TestIdentity): Promise<void> {
  const { dir } = north.organisation;
  const ca = await loadOrganisationCa(dir);
  ca.revoke(identity.certificatePem);
  await ca.save(dir);
  writeFileSync(crlFile, (await ca.crlPem()) ?? '');
}

async function enrolled(name: string, kind: 'outlet' | 'client' | 'reader'): Promise<TestIdentity> {
  const identity = await north.enrol(name, kind);
  await caughtUp(consortium, center, outlet);
  return identity;
}

const connect = (identity: TestIdentity): RawOutlet =>
  rawOutlet(north, consortium.channel, center.ports.grpc, identity);

/** Until the center has noticed the new list. */
async function isRefused(raw: RawOutlet): Promise<void> {
  await until(() =>
    raw.position().then(
      () => false,
      (error: unknown) => (error as { code?: unknown }).code === 'certificate-revoked',
    ),
  );
}

async function messageOf(raw: RawOutlet): Promise<Uint8Array> {
  const key = await raw.transportKey();
  const previous = await raw.position();
  const { mspId } = north;
  return buildMessage({ mspId, channel: consortium.channel, identity: raw.identity, key, previous }).sealed;
}

/** Both streams that an outlet keeps open, with how each ended. */
function openStreams(identity: TestIdentity) {
  const client = new CenterClient(
    `127.0.0.1:${String(center.ports.grpc)}`,
    clientCredentials([north.organisation.gateway.tlsRootCertPem], {
      certificateChainPem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
    }),
    clientOptions(),
  );
  const upload = openBidi(client.upload());
  const queries = openBidi(client.answerQueries());
  const endOf = async (responses: AsyncIterable<unknown>): Promise<unknown> => {
    try {
      const seen: unknown[] = [];
      for await (const response of responses) seen.push(response);
      return `ended after ${String(seen.length)}`;
    } catch (error) {
      return (error as { code?: unknown }).code;
    }
  };
  const ended = Promise.all([endOf(upload.responses), endOf(queries.responses)]);
  return { upload, queries, ended, close: () => client.close() };
}

/** The metric counts streams and outlets that wait for queries. */
async function bothOpen(before: number): Promise<void> {
  await until(async () => (await statusOf()) === before + 2);
}

async function statusOf(): Promise<number> {
  const { body } = await restClient(north, center.ports.api, asker)('GET', '/v1/status');
  return Number(body?.['uploadStreams']) + Number(body?.['outletsConnected']);
}

let asker: TestIdentity;
beforeAll(async () => {
  asker = await enrolled('asker', 'reader');
});

describe('an outlet whose certificate comes onto the revocation list', () => {
  test('loses its open streams, and nothing more is taken from it: certificate-revoked', async () => {
    const depot = await enrolled('depot', 'outlet');
    const yard = await enrolled('yard', 'outlet');
    const raw = connect(depot);
    const sealed = await messageOf(raw);
    const before = await statusOf();
    const streams = openStreams(depot);
    await streams.queries.write({ queryId: '', answer: '', failure: undefined });
    await streams.upload.write({ ref: 1, sealed: Buffer.from('no message') });
    await bothOpen(before);
    await revoke(depot);
    expect(await streams.ended).toEqual(['certificate-revoked', 'certificate-revoked']);
    await expect(raw.position()).rejects.toMatchObject({ code: 'certificate-revoked' });
    await expect(raw.upload(sealed)).rejects.toMatchObject({ code: 'certificate-revoked' });
    streams.close();
    raw.close();
    const other = connect(yard);
    expect(await other.upload(await messageOf(other))).toMatchObject([{ code: 'accepted' }]);
    other.close();
  });

  test('does not get in by a message that its successor hands in', async () => {
    const lost = await enrolled('lost', 'outlet');
    const current = await north.issue({ enrolmentId: 'lost', role: 'client' });
    const argument = JSON.stringify({ enrolmentId: 'lost', certificate: current.digest });
    await (await north.admin.submit('participants', 'addCertificate', [argument], { retryable: true })).commit();
    await caughtUp(consortium, center);
    const raw = connect(lost);
    const signedByOld = await messageOf(raw);
    await revoke(lost);
    await isRefused(raw);
    raw.close();
    const renewed = connect(current);
    expect(await renewed.upload(signedByOld)).toMatchObject([{ code: 'certificate-revoked' }]);
    expect(await renewed.upload(await messageOf(renewed))).toMatchObject([{ code: 'accepted' }]);
    renewed.close();
  });
});

test('an outlet that the channel register revokes loses its open streams, too', async () => {
  const closed = await enrolled('closed', 'outlet');
  const before = await statusOf();
  const streams = openStreams(closed);
  await streams.queries.write({ queryId: '', answer: '', failure: undefined });
  await streams.upload.write({ ref: 1, sealed: Buffer.from('no message') });
  await bothOpen(before);
  const argument = JSON.stringify({ enrolmentId: 'closed', reason: 'ceased' });
  await (await north.admin.submit('participants', 'revokeNode', [argument], { retryable: true })).commit();
  expect(await streams.ended).toEqual(['certificate-revoked', 'certificate-revoked']);
  streams.close();
});

test('a client whose certificate comes onto the list loses its stream at the outlet, and is refused by its REST', async () => {
  const person = await enrolled('person', 'client');
  const client = submitClient(north, outlet.ports.grpc, person);
  const [outcome] = await client.submit([{ eventId: 'before the revocation' }]);
  expect(outcome?.anchored).toBeDefined();
  const stream = client.open();
  await stream.write({ records: [], flush: false });
  await revoke(person);
  const read = async (): Promise<void> => {
    const seen: unknown[] = [];
    for await (const response of stream.responses) seen.push(response);
  };
  await expect(read()).rejects.toMatchObject({ code: 'certificate-revoked' });
  await expect(client.submit([{ eventId: 'after it' }])).rejects.toMatchObject({ code: 'certificate-revoked' });
  for (const service of [outlet, center]) {
    await until(async () => {
      const { body } = await restClient(north, service.ports.api, person)('GET', '/v1/status');
      return body?.['code'] === 'certificate-revoked';
    });
  }
  client.close();
});

test('a list that is not usable is logged, and the one before stays in force', async () => {
  const gone = await enrolled('gone', 'outlet');
  const raw = connect(gone);
  await raw.position();
  await revoke(gone);
  await isRefused(raw);
  const good = readFileSync(crlFile, 'utf8');
  writeFileSync(crlFile, 'nothing of use');
  await until(() => center.log.some((line) => line.includes('those before stay in force')));
  await expect(raw.position()).rejects.toMatchObject({ code: 'certificate-revoked' });
  writeFileSync(crlFile, good);
  raw.close();
});

test('a center without a list that its configuration names does not start', async () => {
  const missing = join(consortium.folder, 'none.crl');
  rmSync(missing, { force: true });
  const without = await north.center('no-list', { msp: { rootFiles: [north.rootFile], crlFiles: [missing] } });
  await expect(without.start()).rejects.toMatchObject({ code: 'configuration-invalid' });
});
