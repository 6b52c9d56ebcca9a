import 'reflect-metadata';
import { Extension } from '@peculiar/x509';
import { isWaymarkError } from '@waymark/protocol';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { certificateVerifier, verifyCertificate } from '../../src/keys/certificate-verifier.ts';
import { dayMs, rootAuthority, testNowMs, type TestAuthority } from '../support/certificates.ts';

let root: TestAuthority;
let other: TestAuthority;
beforeAll(async () => {
  root = await rootAuthority('ca.org1.example');
  other = await rootAuthority('ca.org1.example');
});

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
};
const at = { atMs: testNowMs };

test('a certificate of the organisation tells enrolment id, role and attributes', async () => {
  const { der } = await root.issue({
    name: 'outlet-17',
    units: ['client', 'org1'],
    attributes: { 'waymark.outlet': 'true' },
  });
  const verified = verifyCertificate(der, {
    rootsPem: [root.pem],
    ...at,
    roles: ['client'],
    attributes: { 'waymark.outlet': 'true' },
  });
  expect(verified.enrolmentId).toBe('outlet-17');
  expect(verified.role).toBe('client');
  expect(verified.attributes.get('waymark.outlet')).toBe('true');
  expect(verified.digest).toHaveLength(32);
});

test('a certificate of another CA, even one with the same name, is untrusted', async () => {
  const { der } = await other.issue();
  expect(codeOf(() => verifyCertificate(der, { rootsPem: [root.pem], ...at }))).toBe('certificate-untrusted');
});

test('a certificate is refused before and after its time, and when a CA above it has expired', async () => {
  const { der } = await root.issue({ notBeforeMs: testNowMs, notAfterMs: testNowMs + dayMs });
  const verifier = certificateVerifier({ rootsPem: [root.pem] });
  expect(codeOf(() => verifier.verify(der, { atMs: testNowMs }))).toBe('accepted');
  expect(codeOf(() => verifier.verify(der, { atMs: testNowMs - 1_000 }))).toBe('certificate-expired');
  expect(codeOf(() => verifier.verify(der, { atMs: testNowMs + dayMs + 1_000 }))).toBe('certificate-expired');
  const middle = await root.subordinate('middle', { notAfterMs: testNowMs - 1_000 });
  const below = await middle.issue();
  const chain = { rootsPem: [root.pem], intermediatesPem: [middle.pem] };
  expect(codeOf(() => verifyCertificate(below.der, { ...chain, ...at }))).toBe('certificate-expired');
});

test('the right CA with the wrong role, no role or two roles is not permitted', async () => {
  const verifier = certificateVerifier({ rootsPem: [root.pem] });
  for (const units of [['peer'], ['admin'], [], ['sales'], ['client', 'admin']]) {
    const { der } = await root.issue({ units });
    expect([units, codeOf(() => verifier.verify(der, { ...at, roles: ['client'] }))]).toEqual([
      units,
      'role-not-permitted',
    ]);
    expect(codeOf(() => verifier.verify(der, at))).toBe('accepted');
  }
});

test('an attribute that is missing or has another value is not permitted', async () => {
  const demands = { ...at, attributes: { 'waymark.outlet': 'true' } };
  for (const attributes of [undefined, {}, { 'waymark.outlet': 'false' }]) {
    const { der } = await root.issue(attributes === undefined ? {} : { attributes });
    expect(codeOf(() => verifyCertificate(der, { rootsPem: [root.pem], ...demands }))).toBe('role-not-permitted');
  }
});

test('the verifier says which lists it goes by: CA, number, times, length', async () => {
  const number = (der: readonly number[]) => new Extension('2.5.29.20', false, Buffer.from(der));
  const crlsPem = [
    await root.revoke(['0a', '0b'], { extensions: [number([2, 2, 0x01, 0x00])] }),
    await root.revoke([], { thisUpdateMs: testNowMs - dayMs }),
  ];
  const { revocationLists } = certificateVerifier({ rootsPem: [root.pem], crlsPem });
  expect(revocationLists).toMatchObject([
    { number: 256n, thisUpdateMs: testNowMs, nextUpdateMs: testNowMs + dayMs, count: 2 },
    { number: null, thisUpdateMs: testNowMs - dayMs, nextUpdateMs: testNowMs, count: 0 },
  ]);
  expect(revocationLists[0]?.issuerKey).toBe(revocationLists[1]?.issuerKey);
  for (const der of [
    [2, 1, 0x80],
    [2, 2, 1],
    [4, 1, 1],
  ]) {
    const malformed = [await root.revoke([], { extensions: [number(der)] })];
    expect(codeOf(() => certificateVerifier({ rootsPem: [root.pem], crlsPem: malformed }))).toBe(
      'configuration-invalid',
    );
  }
});

test('a list that is only part of one, or only changes to one, is refused', async () => {
  for (const oid of ['2.5.29.27', '2.5.29.28']) {
    const crlsPem = [await root.revoke([], { extensions: [new Extension(oid, true, Buffer.from([2, 1, 1]))] })];
    expect(codeOf(() => certificateVerifier({ rootsPem: [root.pem], crlsPem }))).toBe('configuration-invalid');
  }
});

test('a revoked certificate is refused; a list of another CA cannot revoke', async () => {
  const { der, serialNumber } = await root.issue();
  const fresh = await root.issue();
  const crlsPem = [await root.revoke([serialNumber])];
  const verifier = certificateVerifier({ rootsPem: [root.pem], crlsPem });
  expect(codeOf(() => verifier.verify(der, at))).toBe('certificate-revoked');
  expect(codeOf(() => verifier.verify(fresh.der, at))).toBe('accepted');
  const foreign = [await other.revoke([fresh.serialNumber])];
  expect(codeOf(() => certificateVerifier({ rootsPem: [root.pem], crlsPem: foreign }))).toBe('configuration-invalid');
});

test('as in Fabric, once there are intermediate CAs a root does not issue identities', async () => {
  const middle = await root.subordinate('middle');
  const trust = { rootsPem: [root.pem], intermediatesPem: [middle.pem], ...at };
  const good = await middle.issue();
  const bad = await root.issue();
  expect(codeOf(() => verifyCertificate(good.der, trust))).toBe('accepted');
  expect(codeOf(() => verifyCertificate(bad.der, trust))).toBe('certificate-untrusted');
});

test('a chain longer than a CA allows is untrusted', async () => {
  const short = await rootAuthority('short', { pathLength: 0 });
  const middle = await short.subordinate('middle');
  const { der } = await middle.issue();
  const trust = { rootsPem: [short.pem], intermediatesPem: [middle.pem], ...at };
  expect(codeOf(() => verifyCertificate(der, trust))).toBe('certificate-untrusted');
});

test('an identity cannot issue, a CA is no identity, and other curves are no outlet', async () => {
  const middle = await root.subordinate('middle');
  const leaf = await root.issue();
  const rootDer = parseCertificate(new Uint8Array(middle.certificate.rawData)).der;
  expect(codeOf(() => verifyCertificate(rootDer, { rootsPem: [root.pem], ...at }))).toBe('certificate-untrusted');
  expect(codeOf(() => certificateVerifier({ rootsPem: [leaf.certificatePem] }))).toBe('configuration-invalid');
  const wide = await root.issue({ curve: 'P-384' });
  expect(codeOf(() => verifyCertificate(wide.der, { rootsPem: [root.pem], ...at }))).toBe('certificate-untrusted');
});

test('unknown critical extensions, other bytes after the certificate and noise are refused', async () => {
  const { der } = await root.issue();
  const strange = await root.issue({ extensions: [new Extension('1.2.3.4.5', true, Buffer.of(5, 0))] });
  const trust = { rootsPem: [root.pem], ...at };
  const flipped = Buffer.from(der);
  flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) ^ 1, flipped.length - 1);
  for (const bytes of [
    strange.der,
    Buffer.concat([der, Buffer.of(0)]),
    Buffer.from('noise'),
    new Uint8Array(0),
    flipped,
    Buffer.alloc(20_000),
  ]) {
    expect(codeOf(() => verifyCertificate(bytes, trust))).toBe('certificate-untrusted');
  }
  expect(codeOf(() => verifyCertificate(Buffer.from(root.pem), trust))).toBe('certificate-untrusted');
});
