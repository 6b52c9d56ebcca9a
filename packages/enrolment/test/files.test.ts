import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import {
  certificateFacts,
  type Enrolment,
  readCertificate,
  readIdentityFolder,
  readSecret,
  replaceFile,
  writeIdentityFolder,
} from '../src/index.ts';

let folder: string;
let ca: OrganisationCa;
let identity: Enrolment;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waymark-identity-'));
  ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  const issued = await ca.issue({ enrolmentId: 'depot', role: 'client', attributes: { 'waymark.outlet': 'true' } });
  identity = { ...issued, rootsPem: [ca.rootCertPem], intermediatesPem: [] };
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a folder is written whole, keys for their owner only, and never over another', async () => {
  const place = join(folder, 'new', 'depot');
  await writeIdentityFolder(place, identity, { mspId: 'NorthMSP', domain: 'north.example' });
  expect(readdirSync(place).sort()).toEqual(['ca-roots.pem', 'certificate.pem', 'msp', 'private-key.pem']);
  for (const file of ['private-key.pem', 'msp/keystore/priv_sk']) {
    expect(statSync(join(place, file)).mode & 0o777).toBe(0o600);
  }
  expect(await readIdentityFolder(place)).toMatchObject({ certificatePem: identity.certificatePem });
  const before = readFileSync(join(place, 'private-key.pem'), 'utf8');
  await expect(writeIdentityFolder(place, identity)).rejects.toMatchObject({ code: 'conflict' });
  expect(readFileSync(join(place, 'private-key.pem'), 'utf8')).toBe(before);
  expect(readdirSync(join(folder, 'new'))).toEqual(['depot']);
});

test('a write that fails leaves nothing behind', async () => {
  const place = join(folder, 'failing', 'depot');
  const broken = { ...identity, enrolmentId: 'a\0b' };
  await expect(writeIdentityFolder(place, broken, { mspId: 'NorthMSP', domain: 'north.example' })).rejects.toThrow();
  expect(readdirSync(join(folder, 'failing'))).toEqual([]);
});

test('an identity whose key others can touch, or whose parts do not belong together, is configuration-invalid', async () => {
  const place = join(folder, 'open');
  await writeIdentityFolder(place, identity);
  chmodSync(join(place, 'private-key.pem'), 0o640);
  const invalid = { code: 'configuration-invalid' };
  await expect(readIdentityFolder(place)).rejects.toMatchObject(invalid);
  const mixed = join(folder, 'mixed');
  const other = await ca.issue({ enrolmentId: 'depot', role: 'client' });
  await writeIdentityFolder(mixed, { ...identity, privateKeyPem: other.privateKeyPem });
  await expect(readIdentityFolder(mixed)).rejects.toMatchObject(invalid);
  await expect(readIdentityFolder(join(folder, 'none'))).rejects.toMatchObject(invalid);
});

test('a file is replaced as a whole, with its mode', async () => {
  const file = join(folder, 'list.pem');
  writeFileSync(file, 'old');
  await replaceFile(file, 'new', 0o644);
  expect(readFileSync(file, 'utf8')).toBe('new');
  await expect(replaceFile(join(folder, 'none', 'list.pem'), 'x', 0o644)).rejects.toThrow();
  mkdirSync(join(folder, 'a-folder'));
  await expect(replaceFile(join(folder, 'a-folder'), 'x', 0o644)).rejects.toThrow();
  expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([]);
});

test('a secret comes from a file of its owner or a stream, one line', async () => {
  const file = join(folder, 'secret');
  writeFileSync(file, 'one time\n', { mode: 0o600 });
  expect(await readSecret({ file })).toBe('one time');
  expect(await readSecret({ stream: Readable.from([Buffer.from('one '), Buffer.from('time\r\n')]) })).toBe('one time');
  const invalid = { code: 'configuration-invalid' };
  chmodSync(file, 0o644);
  await expect(readSecret({ file })).rejects.toMatchObject(invalid);
  await expect(readSecret({ file: join(folder, 'nowhere') })).rejects.toMatchObject(invalid);
  for (const text of ['', '\n', 'two\nlines', 'x'.repeat(2_000)]) {
    await expect(readSecret({ stream: Readable.from([Buffer.from(text)]) })).rejects.toMatchObject(invalid);
  }
});

test('what is shown of a certificate: subject, role, attributes, hosts, times, digest; nothing secret', async () => {
  const facts = certificateFacts(identity.certificatePem, Date.now());
  expect(facts).toMatchObject({
    subject: 'OU=client, CN=depot',
    enrolmentId: 'depot',
    role: 'client',
    attributes: { 'waymark.outlet': 'true' },
    hosts: [],
    expired: false,
    digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    authorityKeyId: expect.stringMatching(/^[0-9a-f]{40}$/) as unknown,
  });
  expect(certificateFacts(identity.certificatePem, Date.parse(facts.notAfter) + 1).expired).toBe(true);
  const tls = await ca.issueTls({ commonName: 'node', sans: ['node.example'] });
  expect(certificateFacts(tls.certificatePem, Date.now())).toMatchObject({
    role: null,
    hosts: expect.arrayContaining(['node.example', '127.0.0.1']) as unknown,
  });
  const place = join(folder, 'shown');
  await writeIdentityFolder(place, identity);
  expect(await readCertificate(place)).toBe(identity.certificatePem);
  expect(await readCertificate(join(place, 'certificate.pem'))).toBe(identity.certificatePem);
  for (const pem of ['', identity.privateKeyPem, identity.certificatePem.repeat(2)]) {
    expect(() => certificateFacts(pem, 0)).toThrow(expect.objectContaining({ code: 'certificate-untrusted' }) as Error);
  }
});
