import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Extension, X509CrlGenerator } from '@peculiar/x509';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { certificateVerifier, parseCertificatesPem } from '@waymark/vault';
import { openOrganisationTrust } from '../src/index.ts';
import { captureLog, removeFolders, temporaryFolder } from './fixture.ts';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;
const revoked = withCode('certificate-revoked');
const invalid = withCode('configuration-invalid');
const dayMs = 24 * 3_600_000;

afterAll(removeFolders);

interface ListOptions {
  readonly ageMs?: number;
  readonly number?: number;
  readonly lifetimeMs?: number;
}

/** A firm with one CA, an outlet, and lists that its CA signs. */
async function firm() {
  const folder = temporaryFolder();
  const ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  await ca.save(folder);
  const rootFile = join(folder, 'root.pem');
  const crlFile = join(folder, 'crl.pem');
  writeFileSync(rootFile, ca.rootCertPem);
  const outlet = await ca.issue({ enrolmentId: 'depot', role: 'client' });
  const { der } = parseCertificatesPem(outlet.certificatePem)[0] ?? { der: new Uint8Array() };
  const list = (certificates: readonly string[], options?: ListOptions) => sign(ca, folder, certificates, options);
  const log = captureLog();
  const open = (nowMs: () => number = Date.now) =>
    openOrganisationTrust({
      mspId: 'NorthMSP',
      rootFiles: [rootFile],
      intermediateFiles: [],
      crlFiles: [crlFile],
      logger: log.logger,
      nowMs,
    });
  return { folder, ca, crlFile, outlet, der, list, log, open };
}

async function sign(ca: OrganisationCa, folder: string, certificates: readonly string[], options: ListOptions = {}) {
  const key = createPrivateKey(readFileSync(join(folder, 'ca', 'priv_sk'), 'utf8'));
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const thisUpdate = new Date(Date.now() - (options.ageMs ?? 0));
  const crl = await X509CrlGenerator.create({
    issuer: new X509Certificate(ca.rootCertPem).subject.replaceAll('\n', ', '),
    thisUpdate,
    nextUpdate: new Date(thisUpdate.getTime() + (options.lifetimeMs ?? dayMs)),
    entries: certificates.map((pem) => ({
      serialNumber: new X509Certificate(pem).serialNumber,
      revocationDate: thisUpdate,
    })),
    extensions:
      options.number === undefined ? [] : [new Extension('2.5.29.20', false, Buffer.from([2, 1, options.number]))],
    signingAlgorithm: ecdsa,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ecdsa, false, ['sign']),
  });
  return crl.toString('pem').replaceAll(' CRL', ' X509 CRL');
}

const now = () => ({ atMs: Date.now() });

test('a list that replaces another takes effect without a restart, and who listens is told', async () => {
  const { crlFile, outlet, der, list, open } = await firm();
  writeFileSync(crlFile, await list([]));
  const trust = open();
  let told = 0;
  trust.onChange(() => (told += 1));
  expect(trust.verifier.verify(der, now()).enrolmentId).toBe('depot');
  writeFileSync(crlFile, await list([outlet.certificatePem]));
  await trust.check();
  expect(() => trust.verifier.verify(der, now())).toThrow(revoked);
  expect(told).toBe(1);
});

test('a list that is missing at the start is an error', async () => {
  const { open } = await firm();
  expect(() => open()).toThrow(invalid);
});

test('a list that is malformed, foreign or missing is logged once; the one before stays in force', async () => {
  const { crlFile, outlet, der, list, open, log } = await firm();
  const stranger = await firm();
  const revoking = await list([outlet.certificatePem]);
  writeFileSync(crlFile, revoking);
  const trust = open();
  const spoil: (() => void)[] = [
    () => writeFileSync(crlFile, 'not a list'),
    () => writeFileSync(crlFile, revoking.slice(0, -60)),
    () => rmSync(crlFile),
  ];
  const foreign = await stranger.list([]);
  spoil.push(() => writeFileSync(crlFile, foreign));
  for (const [index, change] of spoil.entries()) {
    change();
    await trust.check();
    await trust.check();
    expect(() => trust.verifier.verify(der, now())).toThrow(revoked);
    expect(log.lines().filter(({ level }) => level === 'error')).toHaveLength(index + 1);
  }
});

test.each([
  ['an older time', { ageMs: 0 }, { ageMs: 60_000 }],
  ['a lower number, though later', { number: 5, ageMs: 60_000 }, { number: 4 }],
])('a list with %s does not replace a newer one', async (_name, newer, older) => {
  const { crlFile, outlet, der, list, open, log } = await firm();
  writeFileSync(crlFile, await list([outlet.certificatePem], newer));
  const trust = open();
  writeFileSync(crlFile, await list([], older));
  await trust.check();
  expect(() => trust.verifier.verify(der, now())).toThrow(revoked);
  expect(log.text()).toContain('older than the one in force');
  writeFileSync(crlFile, await list([], { ...older, ...newer }));
  await trust.check();
  expect(trust.verifier.verify(der, now()).enrolmentId).toBe('depot');
});

test('a list whose next update is overdue still revokes, and is reported once', async () => {
  const { crlFile, outlet, der, list, open, log } = await firm();
  writeFileSync(crlFile, await list([outlet.certificatePem], { ageMs: 60_000, lifetimeMs: 30_000 }));
  const trust = open();
  await trust.start();
  await trust.stop();
  expect(() => trust.verifier.verify(der, now())).toThrow(revoked);
  writeFileSync(crlFile, await list([outlet.certificatePem], { ageMs: 60_000, lifetimeMs: 30_000 }));
  await trust.check();
  expect(log.lines().filter(({ msg }) => String(msg).includes('out of date'))).toHaveLength(1);
});

test('a list of the CA of devnet and of tests is one that services take', async () => {
  const { ca, outlet, der } = await firm();
  ca.revoke(outlet.certificatePem);
  const crlsPem = [(await ca.crlPem()) ?? ''];
  expect(() => certificateVerifier({ rootsPem: [ca.rootCertPem], crlsPem }).verify(der, now())).toThrow(revoked);
});
