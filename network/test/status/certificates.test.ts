import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { certificatesIn } from '../../src/status/certificates.ts';

describe('certificates of a folder', () => {
  let folder: string;
  let ca: OrganisationCa;
  const issue = async (enrolmentId: string, notAfter: string): Promise<string> =>
    (await ca.issue({ enrolmentId, role: 'client', notAfter: new Date(notAfter) })).certificatePem;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-certificates-'));
    ca = await createOrganisationCa({ mspId: 'NorthlineMSP', domain: 'northline.example' });
    await mkdir(join(folder, 'one', 'deep'), { recursive: true });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('are found at any depth, each once, and those that end first are at the head', async () => {
    const late = await issue('late', '2030-02-03T04:05:06.000Z');
    const early = await issue('early', '2029-01-01T00:00:00.000Z');
    await writeFile(join(folder, 'late.pem'), late);
    await writeFile(join(folder, 'one', 'copy.crt'), late);
    await writeFile(join(folder, 'one', 'deep', 'both.pem'), `${late}\n${early}`);
    const found = await certificatesIn(folder);
    expect(found.map(({ notAfter }) => notAfter)).toEqual(['2029-01-01T00:00:00.000Z', '2030-02-03T04:05:06.000Z']);
    expect(found.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('CN=early') as string,
      expect.stringContaining('CN=late') as string,
    ]);
  });

  test('keys and other files are no certificates, and one that is damaged hides no other', async () => {
    const good = await issue('good', '2030-01-01T00:00:00.000Z');
    const { privateKeyPem } = await ca.issue({ enrolmentId: 'key', role: 'client' });
    await writeFile(join(folder, 'key.pem'), privateKeyPem);
    await writeFile(join(folder, 'certificate.txt'), await issue('text', '2029-01-01T00:00:00.000Z'));
    await writeFile(join(folder, 'damaged.pem'), good.replace(/MII../, 'MIIAA'));
    await writeFile(join(folder, 'good.pem'), good);
    await mkdir(join(folder, 'folder.pem'));
    expect((await certificatesIn(folder)).map(({ notAfter }) => notAfter)).toEqual(['2030-01-01T00:00:00.000Z']);
  });
});
