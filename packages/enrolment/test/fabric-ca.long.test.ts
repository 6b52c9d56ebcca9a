import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateVerifier, parseCertificatesPem } from '@waymark/vault';
import { type FabricCaPeer, findFabricCa, startFabricCa } from '@waymark/testing/fabric-ca-peer';
import {
  certificateAuthority,
  certificateFacts,
  type CertificateAuthority,
  type EnrolledIdentity,
  identityFiles,
  readIdentityFolder,
  writeIdentityFolder,
} from '../src/index.ts';

const program = findFabricCa();
const describeWithCa: (name: string, body: () => void) => void =
  program === undefined ? (name, body) => describe.skip(`${name} (not on PATH: fabric-ca-server)`, body) : describe;

const publicKeyOf = (pem: string): string => createPublicKey(pem).export({ type: 'spki', format: 'pem' }) as string;

describeWithCa('a running fabric-ca-server', () => {
  let folder: string;
  let server: FabricCaPeer;
  let authority: CertificateAuthority;
  let admin: EnrolledIdentity;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waymark-enrolment-'));
    server = await startFabricCa(program ?? '', { folder: join(folder, 'server') });
    authority = certificateAuthority({ url: server.url, tlsRootPem: server.tlsRootPem });
    admin = await authority.enrol(server.admin);
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function enrolled(enrolmentId: string) {
    const secret = await authority.register(admin, { enrolmentId, role: 'client' });
    return authority.enrol({ enrolmentId, secret });
  }

  async function listIsFor(certificatePem: string): Promise<string> {
    const { pem } = await authority.revocationList(admin);
    const { rootsPem } = await authority.info();
    const [certificate] = parseCertificatesPem(certificatePem);
    try {
      certificateVerifier({ rootsPem, crlsPem: [pem] }).verify(certificate?.der ?? new Uint8Array(), {
        atMs: Date.now(),
      });
      return 'good';
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  test('says who it is, with the chain of its CA', async () => {
    const info = await authority.info();
    expect(info.rootsPem.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([
      new X509Certificate(readFileSync(server.rootFile)).fingerprint256,
    ]);
    expect(info.version).toMatch(/./);
  });

  test('registers and enrols an outlet: role, attributes, a key of its own', async () => {
    const secret = await authority.register(admin, {
      enrolmentId: 'depot-1',
      role: 'client',
      attributes: { 'waymark.outlet': 'true' },
    });
    const identity = await authority.enrol({ enrolmentId: 'depot-1', secret });
    const facts = certificateFacts(identity.certificatePem, Date.now());
    expect(facts).toMatchObject({ enrolmentId: 'depot-1', role: 'client', expired: false, hosts: [] });
    expect(facts.attributes).toMatchObject({ 'waymark.outlet': 'true', 'hf.EnrollmentID': 'depot-1' });
    expect(facts.digest).toBe(
      new X509Certificate(identity.certificatePem).fingerprint256.replaceAll(':', '').toLowerCase(),
    );
    await expect(authority.enrol({ enrolmentId: 'depot-1', secret })).rejects.toMatchObject({ code: 'refused' });
    await expect(authority.register(admin, { enrolmentId: 'depot-1', role: 'client' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('issues a TLS certificate for the hosts asked for', async () => {
    const secret = await authority.register(admin, { enrolmentId: 'node-1', role: 'peer', maxEnrolments: 2 });
    const hosts = ['node-1.example', 'localhost', '127.0.0.1'];
    const tls = await authority.enrol({ enrolmentId: 'node-1', secret }, { profile: 'tls', hosts });
    expect(certificateFacts(tls.certificatePem, Date.now()).hosts).toEqual(hosts);
    expect(new X509Certificate(tls.certificatePem).keyUsage).toEqual(expect.arrayContaining(['1.3.6.1.5.5.7.3.1']));
    const identity = await authority.enrol({ enrolmentId: 'node-1', secret });
    const again = await authority.renew(identity, { profile: 'tls', hosts, privateKeyPem: tls.privateKeyPem });
    expect(publicKeyOf(again.certificatePem)).toBe(publicKeyOf(tls.certificatePem));
    expect(again.certificatePem).not.toBe(tls.certificatePem);
  });

  test('renews with a new key, or with the same one', async () => {
    const first = await enrolled('depot-2');
    const renewed = await authority.renew(first);
    expect(renewed.enrolmentId).toBe('depot-2');
    expect(publicKeyOf(renewed.certificatePem)).not.toBe(publicKeyOf(first.certificatePem));
    const same = await authority.renew(renewed, { privateKeyPem: renewed.privateKeyPem });
    expect(publicKeyOf(same.certificatePem)).toBe(publicKeyOf(renewed.certificatePem));
    expect(same.certificatePem).not.toBe(renewed.certificatePem);
  });

  test('one certificate is revoked by its number; the others of the identity still count', async () => {
    const first = await enrolled('depot-3');
    const second = await authority.renew(first);
    const [revoked] = await authority.revoke(admin, { certificatePem: first.certificatePem, reason: 'superseded' });
    expect(revoked).toEqual({
      serialNumber: certificateFacts(first.certificatePem, 0).serialNumber,
      authorityKeyId: certificateFacts(first.certificatePem, 0).authorityKeyId?.replace(/^0+/, ''),
    });
    expect(await authority.revoke(admin, { certificatePem: first.certificatePem })).toEqual([]);
    expect(await listIsFor(first.certificatePem)).toBe('certificate-revoked');
    expect(await listIsFor(second.certificatePem)).toBe('good');
    await expect(authority.renew(first)).rejects.toMatchObject({ code: 'refused' });
    expect((await authority.renew(second)).enrolmentId).toBe('depot-3');
  });

  test('an identity is revoked as a whole, and can neither renew nor enrol', async () => {
    const secret = await authority.register(admin, { enrolmentId: 'depot-4', role: 'client', maxEnrolments: 5 });
    const identity = await authority.enrol({ enrolmentId: 'depot-4', secret });
    expect(await authority.revoke(admin, { enrolmentId: 'depot-4', reason: 'keycompromise' })).toHaveLength(1);
    expect(await listIsFor(identity.certificatePem)).toBe('certificate-revoked');
    await expect(authority.renew(identity)).rejects.toMatchObject({ code: 'refused' });
    await expect(authority.enrol({ enrolmentId: 'depot-4', secret })).rejects.toMatchObject({ code: 'refused' });
  });

  test('the list says when it was made and when the next is due', async () => {
    const list = await authority.revocationList(admin);
    expect(Math.abs(Date.now() - list.thisUpdateMs)).toBeLessThan(60_000);
    expect(list.nextUpdateMs).toBeGreaterThan(Date.now());
    expect(list.number).toBeNull();
  });

  test('an outlet may neither register, revoke others, nor ask for the list', async () => {
    const outlet = await enrolled('depot-5');
    const permitted = { code: 'role-not-permitted' };
    await expect(authority.register(outlet, { enrolmentId: 'x', role: 'client' })).rejects.toMatchObject({
      code: expect.stringMatching(/role-not-permitted|refused/) as unknown,
    });
    await expect(authority.revoke(outlet, { enrolmentId: 'node-1' })).rejects.toMatchObject(permitted);
    await expect(authority.revocationList(outlet)).rejects.toMatchObject(permitted);
  });

  test('a server that another CA vouches for is not talked to', async () => {
    const other = certificateAuthority({ url: server.url, tlsRootPem: readFileSync(server.rootFile, 'utf8') });
    await expect(other.info()).rejects.toMatchObject({ code: 'certificate-untrusted' });
  });

  test('an identity is written into a folder that services and Fabric programs take', async () => {
    const secret = await authority.register(admin, { enrolmentId: 'admin-2', role: 'admin' });
    const identity = await authority.enrol({ enrolmentId: 'admin-2', secret });
    const place = join(folder, 'admin-2');
    const tlsRootPem = readFileSync(server.tlsRootFile, 'utf8');
    await writeIdentityFolder(place, identity, { mspId: 'NorthMSP', domain: 'north.example', tlsRootPem });
    expect(await readIdentityFolder(place)).toEqual({
      certificatePem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
    });
    expect(statSync(join(place, identityFiles.privateKey)).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(place, 'msp')).sort()).toEqual([
      'cacerts',
      'config.yaml',
      'keystore',
      'signcerts',
      'tlscacerts',
    ]);
    await expect(writeIdentityFolder(place, identity)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('nothing that the server or this side wrote holds a private key that was made here', async () => {
    const identity = await enrolled('depot-6');
    const secretPart = identity.privateKeyPem.split('\n')[2] ?? '';
    expect(secretPart).toHaveLength(64);
    writeFileSync(join(folder, 'canary'), secretPart);
    const hits = execFileSync('grep', ['-rlaF', secretPart, folder]).toString().trim().split('\n');
    expect(hits).toEqual([join(folder, 'canary')]);
  });
});
