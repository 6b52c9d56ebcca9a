import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { packageChaincode, type PackagedChaincode } from '../../scripts/build-chaincode.ts';
import { batchesOf } from './harness/batches.ts';
import { startChaincode } from './harness/chaincode-process.ts';
import { createConsortium } from './harness/consortium.ts';

const installTimeoutMs = 180_000;

describe('the package, installed alone outside the repository', () => {
  let directory = '';
  let packed: PackagedChaincode;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'waymark-installed-'));
    packed = await packageChaincode(directory);
    await promisify(execFile)(
      'npm',
      ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'],
      {
        cwd: packed.folder,
        shell: process.platform === 'win32',
      },
    );
  }, installTimeoutMs);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('has exact production dependencies, no registry host, and nothing of the workspace', () => {
    const manifest = JSON.parse(readFileSync(join(packed.folder, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      devDependencies?: object;
    };
    expect(manifest.dependencies).toEqual({ 'fabric-contract-api': '2.5.8', 'fabric-shim': '2.5.8' });
    expect(manifest.devDependencies).toBeUndefined();
    const shrinkwrap = readFileSync(join(packed.folder, 'npm-shrinkwrap.json'), 'utf8');
    expect(shrinkwrap).not.toMatch(/https?:|"resolved"|@waymark/);
    expect(existsSync(join(packed.folder, 'node_modules', '@waymark'))).toBe(false);
    expect(existsSync(join(packed.folder, 'node_modules', 'fabric-shim', 'cli.js'))).toBe(true);
  });

  test('runs as a service, registers under its package id, and records and reads evidence', async () => {
    const chaincode = await startChaincode({ folder: packed.folder, packageId: packed.packageId });
    try {
      expect(chaincode.peer.packageId).toBe(packed.packageId);
      const { channel, a } = await createConsortium(chaincode);
      await channel.submit(a.center, 'evidence:record', batchesOf(a.outlet, 1, 3));
      expect((await channel.submit(a.outlet, 'evidence:get', 'Org1MSP/outlet-1/3'))['seq']).toBe(3);
      const metadata = await channel.submit(a.outlet, 'org.hyperledger.fabric:GetMetadata');
      expect(metadata['info']).toEqual({ title: 'waymark', version: '0.1.0' });
    } finally {
      await chaincode.stop();
    }
  });

  test('runs under the standard command of fabric-shim as well', async () => {
    const cli = join(packed.folder, 'node_modules', 'fabric-shim', 'cli.js');
    const chaincode = await startChaincode({
      folder: packed.folder,
      packageId: packed.packageId,
      command: (address, packageId) => [cli, 'server', '--chaincode-address', address, '--chaincode-id', packageId],
    });
    expect(chaincode.peer.packageId).toBe(packed.packageId);
    await chaincode.stop();
  });

  test('speaks TLS when it is given a certificate', async () => {
    const { certificate, key } = await selfSigned();
    const files = { cert: join(directory, 'tls.pem'), key: join(directory, 'tls.key') };
    writeFileSync(files.cert, certificate);
    writeFileSync(files.key, key);
    const chaincode = await startChaincode({
      folder: packed.folder,
      packageId: packed.packageId,
      env: { CHAINCODE_TLS_CERT_FILE: files.cert, CHAINCODE_TLS_KEY_FILE: files.key },
      tls: credentials.createSsl(Buffer.from(certificate)),
    });
    expect(chaincode.peer.packageId).toBe(packed.packageId);
    await chaincode.stop();
  });

  test('packing again gives the same package and the same folder', async () => {
    const again = await packageChaincode(join(directory, 'again'));
    expect(again.packageId).toBe(packed.packageId);
    const copy = join(directory, 'copy');
    cpSync(packed.folder, copy, { recursive: true, filter: (file) => !file.includes('node_modules') });
    const files = readdirSync(again.folder, { recursive: true, encoding: 'utf8' }).sort();
    expect(readdirSync(copy, { recursive: true, encoding: 'utf8' }).sort()).toEqual(files);
    for (const file of files.filter((name) => name.includes('.'))) {
      expect([file, readFileSync(join(copy, file), 'utf8') === readFileSync(join(again.folder, file), 'utf8')]).toEqual(
        [file, true],
      );
    }
  });
});

async function selfSigned(): Promise<{ readonly certificate: string; readonly key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=127.0.0.1',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificate: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  };
}
