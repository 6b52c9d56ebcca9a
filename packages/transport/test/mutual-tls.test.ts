import { X509Certificate } from 'node:crypto';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { WaymarkError } from '@waymark/protocol';
import { callUnary, clientCredentials, serverCredentials } from '../src/index.ts';
import { outletIdentity, startCenter, type TestCenter } from './fixture.ts';

let center: TestCenter;
let seen: Uint8Array | undefined;

beforeAll(async () => {
  center = await startCenter({
    getPosition: ({ peerCertificate }) => {
      seen = peerCertificate;
      return Promise.resolve({ seq: 7, batchHash: new Uint8Array(32) });
    },
  });
});
afterAll(() => center.close());

test('the server sees the certificate the client proved to hold', async () => {
  const identity = await outletIdentity(center.ca);
  const client = center.client(identity);
  const position = await callUnary(client.getPosition.bind(client), {});
  expect(position.seq).toBe(7);
  expect(Buffer.from(seen ?? [])).toEqual(new X509Certificate(identity.certificateChainPem).raw);
});

test('a client without a certificate is not let in', async () => {
  const client = center.client();
  await expect(callUnary(client.getPosition.bind(client), {}, { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a client certified by another CA of the same name is not let in', async () => {
  const other = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const client = center.client(await outletIdentity(other));
  await expect(callUnary(client.getPosition.bind(client), {}, { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('an expired client certificate is not let in', async () => {
  const dayMs = 86_400_000;
  const expired = await center.ca.issue({
    enrolmentId: 'outlet-2',
    role: 'client',
    notBefore: new Date(Date.now() - 2 * dayMs),
    notAfter: new Date(Date.now() - dayMs),
  });
  const client = center.client({
    certificateChainPem: expired.certificatePem,
    privateKeyPem: expired.privateKeyPem,
  });
  await expect(callUnary(client.getPosition.bind(client), {}, { deadlineMs: 5_000 })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('a PEM that does not parse, or no CA, is a configuration error', () => {
  const bad = { certificateChainPem: 'not a PEM', privateKeyPem: 'neither' };
  expect(() => clientCredentials([])).toThrow(WaymarkError);
  expect(() => clientCredentials([center.ca.tlsRootCertPem], bad)).toThrow(/does not parse/);
  expect(() => serverCredentials(bad, [])).toThrow(/at least one client CA/);
});
