import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { X509Crl } from '@peculiar/x509';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOrganisationCa, loadOrganisationCa, writeTlsFolder } from '../../src/ca/index.ts';
import { lowSFromDer } from '../../src/asn1/ecdsa-signature.ts';
import { readDerElement } from '../../src/asn1/der.ts';
import { describeWithFabric, runFabric } from '../support/fabric-programs.ts';
import { thrownCode } from '../support/error-code.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

const HOUR_MS = 3_600_000;

/** The signature value: the last element of the certificate, a BIT STRING. */
function signatureOf(pem: string): Uint8Array {
  const outer = readDerElement(new X509Certificate(pem).raw);
  if (outer === undefined) throw new Error('not DER');
  const tbs = readDerElement(outer.content);
  const algorithm = readDerElement(outer.content, tbs?.nextOffset);
  const signature = readDerElement(outer.content, algorithm?.nextOffset);
  return signature?.content.subarray(1) ?? new Uint8Array();
}

test('an identity certificate carries enrolment id, NodeOU and attributes, and chains to its CA', async () => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const { certificatePem } = await ca.issue({
    enrolmentId: 'outlet-7',
    role: 'client',
    attributes: { 'waymark.role': 'outlet' },
  });
  const certificate = new X509Certificate(certificatePem);
  const root = new X509Certificate(ca.rootCertPem);
  expect(certificate.subject).toBe('OU=client\nCN=outlet-7');
  expect(certificate.checkIssued(root)).toBe(true);
  expect(certificate.verify(root.publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(root.ca).toBe(true);
  expect(certificate.raw.includes(Buffer.from('{"attrs":{"waymark.role":"outlet"}}'))).toBe(true);
  // 1.2.3.4.5.6.7.8.1
  expect(certificate.raw.includes(Buffer.from('06082a030405060708 01'.replace(' ', ''), 'hex'))).toBe(true);
});

test('all certificates are signed low-S', async () => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const issued = await Promise.all(
    Array.from({ length: 30 }, (_, i) => ca.issue({ enrolmentId: `peer${i}`, role: 'peer' })),
  );
  for (const pem of [ca.rootCertPem, ca.tlsRootCertPem, ...issued.map(({ certificatePem }) => certificatePem)]) {
    expect(lowSFromDer(signatureOf(pem))).toBeDefined();
  }
});

test('a TLS certificate comes from the TLS CA and names the local host', async () => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const tls = await ca.issueTls({ commonName: 'peer0.org1.example.com', sans: ['peer0.org1.example.com', '10.0.0.7'] });
  const certificate = new X509Certificate(tls.certificatePem);
  expect(certificate.verify(new X509Certificate(ca.tlsRootCertPem).publicKey)).toBe(true);
  expect(certificate.verify(new X509Certificate(ca.rootCertPem).publicKey)).toBe(false);
  for (const name of ['localhost', 'peer0.org1.example.com']) expect(certificate.checkHost(name)).toBe(name);
  for (const ip of ['127.0.0.1', '::1', '10.0.0.7']) expect(certificate.checkIP(ip)).toBe(ip);
});

test('an expired certificate can be issued for tests, one outside of its CA cannot', async () => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const now = Date.now();
  const { certificatePem } = await ca.issue({
    enrolmentId: 'late',
    role: 'client',
    notBefore: new Date(now - 2 * HOUR_MS),
    notAfter: new Date(now - HOUR_MS),
  });
  expect(new X509Certificate(certificatePem).validToDate.getTime()).toBeLessThan(now);
  await expect(ca.issue({ enrolmentId: 'early', role: 'client', notBefore: new Date(0) })).rejects.toMatchObject({
    code: 'MSP_INVALID',
  });
});

test.each(['', 'a/b', 'a\\b', 'x'.repeat(65), 'a\u0000b'])('the enrolment id %j is refused', async (enrolmentId) => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  await expect(ca.issue({ enrolmentId, role: 'client' })).rejects.toMatchObject({ code: 'MSP_INVALID' });
});

test('a saved CA is the same after loading, with what it revoked; keys are for the owner only', async () => {
  const dir = await temporaryFolder();
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const revoked = await ca.issue({ enrolmentId: 'gone', role: 'client' });
  ca.revoke(revoked.certificatePem);
  await ca.save(dir);
  const loaded = await loadOrganisationCa(dir);
  expect(loaded.rootCertPem).toBe(ca.rootCertPem);
  expect(loaded.tlsRootCertPem).toBe(ca.tlsRootCertPem);
  expect(await loaded.crlPem()).toContain('-----BEGIN X509 CRL-----');
  const issued = await loaded.issue({ enrolmentId: 'new', role: 'peer' });
  expect(new X509Certificate(issued.certificatePem).verify(new X509Certificate(ca.rootCertPem).publicKey)).toBe(true);
  for (const name of ['ca/priv_sk', 'tlsca/priv_sk']) {
    expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  }
});

test('a CA folder with another key, or without a file, is refused', async () => {
  const dir = await temporaryFolder();
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  await ca.save(dir);
  const other = await ca.issue({ enrolmentId: 'x', role: 'client' });
  await writeFile(join(dir, 'ca/priv_sk'), other.privateKeyPem);
  await expect(loadOrganisationCa(dir)).rejects.toMatchObject({ code: 'MSP_INVALID' });
  await expect(loadOrganisationCa(join(dir, 'ca'))).rejects.toMatchObject({ code: 'MSP_INVALID' });
});

test('only an own certificate can be revoked', async () => {
  const [ours, theirs] = await Promise.all([
    createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' }),
    createOrganisationCa({ mspId: 'Org2MSP', domain: 'org2.example.com' }),
  ]);
  const { certificatePem } = await theirs.issue({ enrolmentId: 'x', role: 'client' });
  expect(
    thrownCode(() => {
      ours.revoke(certificatePem);
    }),
  ).toBe('MSP_INVALID');
});

test('a serial number can be revoked in any spelling, what is none is refused', async () => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  for (const serial of ['abc', '0ABC', '00ff']) ca.revokeSerialNumber(serial);
  const crl = new X509Crl((await ca.crlPem()) ?? '');
  const octets = Buffer.from(crl.rawData).toString('hex');
  expect(crl.entries).toHaveLength(2);
  // INTEGERs, positive ones.
  expect(octets).toContain('02020abc');
  expect(octets).toContain('020200ff');
  for (const wrong of ['', 'xyz', '0'.repeat(43)]) {
    expect(
      thrownCode(() => {
        ca.revokeSerialNumber(wrong);
      }),
    ).toBe('MSP_INVALID');
  }
});

test('a TLS key that is given is certified again', async () => {
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  const first = await ca.issueTls({ commonName: 'orderer0' });
  const second = await ca.issueTls({ commonName: 'orderer0', privateKeyPem: first.privateKeyPem });
  const [before, after] = [first, second].map(({ certificatePem }) => new X509Certificate(certificatePem));
  expect(second.privateKeyPem).toBe(first.privateKeyPem);
  expect(after?.serialNumber).not.toBe(before?.serialNumber);
  expect(after?.publicKey.export({ type: 'spki', format: 'pem' })).toBe(
    before?.publicKey.export({ type: 'spki', format: 'pem' }),
  );
});

test('an MSP folder has the layout of Fabric, with a private key of mode 0600', async () => {
  const dir = await temporaryFolder();
  const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
  await ca.writeMspFolder(dir, await ca.issue({ enrolmentId: 'peer0', role: 'peer' }));
  expect((await readdir(dir)).sort()).toEqual(['cacerts', 'config.yaml', 'keystore', 'signcerts', 'tlscacerts']);
  expect((await stat(join(dir, 'keystore/priv_sk'))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(dir, 'cacerts/ca.org1.example.com-cert.pem'), 'utf8')).toBe(ca.rootCertPem);
  const tlsDir = join(dir, 'tls');
  await writeTlsFolder(tlsDir, await ca.issueTls({ commonName: 'peer0' }), 'server');
  expect((await readdir(tlsDir)).sort()).toEqual(['ca.crt', 'server.crt', 'server.key']);
});

describeWithFabric("Fabric's configtxgen", ['configtxgen'], () => {
  test('accepts the MSP folder, a revocation list in it as well', async () => {
    const dir = await temporaryFolder();
    const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
    ca.revoke((await ca.issue({ enrolmentId: 'gone', role: 'client' })).certificatePem);
    await ca.writeMspFolder(join(dir, 'msp'));
    const policy = (rule: string) => `{Type: Signature, Rule: "${rule}"}`;
    await writeFile(
      join(dir, 'configtx.yaml'),
      `Organizations:
  - Name: Org1MSP
    ID: Org1MSP
    MSPDir: ${join(dir, 'msp')}
    Policies:
      Readers: ${policy("OR('Org1MSP.member')")}
      Writers: ${policy("OR('Org1MSP.client')")}
      Admins: ${policy("OR('Org1MSP.admin')")}
`,
    );
    const printed = JSON.parse(await runFabric('configtxgen', ['-printOrg', 'Org1MSP', '-configPath', dir])) as {
      values: { MSP: { value: { config: { name: string; revocation_list: string[] } } } };
    };
    expect(printed.values.MSP.value.config.name).toBe('Org1MSP');
    expect(printed.values.MSP.value.config.revocation_list).toHaveLength(1);
  });
});
