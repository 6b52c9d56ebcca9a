import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadSigningIdentity, signingIdentityFromPem } from '../../src/keys/signing-identity.ts';
import { rootAuthority, type TestAuthority } from '../support/certificates.ts';

let root: TestAuthority;
let folder: string;
beforeAll(async () => {
  root = await rootAuthority('ca');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waymark-msp-'));
  await mkdir(join(folder, 'signcerts'));
  await mkdir(join(folder, 'keystore'));
});
afterEach(() => rm(folder, { recursive: true }));

const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;

test('an MSP folder gives the identity of its certificate', async () => {
  const { certificatePem, privateKeyPem, der } = await root.issue({ name: 'outlet-3' });
  await writeFile(join(folder, 'signcerts', 'cert.pem'), certificatePem);
  await writeFile(join(folder, 'keystore', 'priv_sk'), privateKeyPem, { mode: 0o600 });
  const identity = await loadSigningIdentity({ mspId: 'Org1MSP', mspFolder: folder });
  expect([identity.mspId, identity.enrolmentId]).toEqual(['Org1MSP', 'outlet-3']);
  expect(Buffer.from(identity.certificateDer).equals(der)).toBe(true);
  await chmod(join(folder, 'keystore', 'priv_sk'), 0o644);
  await expect(loadSigningIdentity({ mspId: 'Org1MSP', mspFolder: folder })).rejects.toThrow(
    withCode('configuration-invalid'),
  );
});

test('missing or several files are refused by name', async () => {
  await expect(loadSigningIdentity({ mspId: 'Org1MSP', mspFolder: folder })).rejects.toThrow(
    withCode('configuration-invalid'),
  );
  await expect(loadSigningIdentity({ mspId: 'Org1MSP', mspFolder: join(folder, 'none') })).rejects.toThrow(
    withCode('configuration-invalid'),
  );
  await writeFile(join(folder, 'signcerts', 'a.pem'), '');
  await writeFile(join(folder, 'signcerts', 'b.pem'), '');
  await expect(loadSigningIdentity({ mspId: 'Org1MSP', mspFolder: folder })).rejects.toThrow(
    withCode('configuration-invalid'),
  );
});

test("another certificate's key, another curve and noise are refused without a word of the key", async () => {
  const [a, b] = [await root.issue(), await root.issue()];
  const wide = await root.issue({ curve: 'P-384' });
  const pairs = [
    [a.certificatePem, b.privateKeyPem],
    [wide.certificatePem, wide.privateKeyPem],
    [a.certificatePem, a.privateKeyPem.slice(0, -60)],
    ['', a.privateKeyPem],
  ] as const;
  for (const [certificatePem, privateKeyPem] of pairs) {
    const attempt = (): unknown => signingIdentityFromPem({ mspId: 'Org1MSP', certificatePem, privateKeyPem });
    expect(attempt).toThrow(withCode('configuration-invalid'));
    try {
      attempt();
    } catch (error) {
      expect(inspect(error, { depth: 9 })).not.toContain(privateKeyPem.split('\n')[1]);
    }
  }
});

test('a signing identity prints no private key', async () => {
  const issued = await root.issue();
  const identity = signingIdentityFromPem({ mspId: 'Org1MSP', ...issued });
  const text = inspect(identity, { depth: 9, showHidden: true }) + JSON.stringify(identity);
  for (const line of issued.privateKeyPem.split('\n').slice(1, -2)) expect(text).not.toContain(line);
});
