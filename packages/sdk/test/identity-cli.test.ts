import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { certificateFacts, revocationReasons, writeIdentityFolder } from '@waymark/enrolment';
import { runCli } from '../src/cli/program.ts';

let folder: string;
let ca: OrganisationCa;
let place: string;
let certificatePem: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waymark-identity-cli-'));
  ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  const identity = await ca.issue({ enrolmentId: 'depot', role: 'client', attributes: { unit: 'quay 7' } });
  ({ certificatePem } = identity);
  place = join(folder, 'depot');
  await writeIdentityFolder(place, { ...identity, rootsPem: [ca.rootCertPem], intermediatesPem: [] });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: {},
  });
  return { exitCode, stdout, stderr };
}

test('identity show tells an operator what to register, and nothing secret', async () => {
  const text = await run('identity', 'show', place);
  expect(text.exitCode).toBe(0);
  expect(text.stdout).toContain('role        client');
  expect(text.stdout).toContain('attribute   unit = quay 7');
  expect(text.stdout).not.toContain('PRIVATE');
  const json = await run('identity', 'show', join(place, 'certificate.pem'), '--json');
  expect(JSON.parse(json.stdout)).toEqual(certificateFacts(certificatePem, Date.now()));
});

test('identity show of what is no certificate is refused by name', async () => {
  const { exitCode, stdout } = await run('identity', 'show', join(place, 'private-key.pem'), '--json');
  expect(exitCode).toBe(5);
  expect(JSON.parse(stdout)).toMatchObject({ code: 'certificate-untrusted' });
  expect((await run('identity', 'show', join(folder, 'none'))).exitCode).toBe(4);
});

test('a secret is taken neither from the command line nor from a file that others can read', async () => {
  const open = join(folder, 'open-secret');
  writeFileSync(open, 'the secret\n');
  chmodSync(open, 0o644);
  const root = join(place, 'ca-roots.pem');
  const wish = ['--id', 'depot', '--out', join(folder, 'new')];
  const at = ['--ca', 'https://127.0.0.1:1', '--ca-root', root];
  expect((await run('identity', 'enrol', ...at, ...wish, '--secret', 'the secret')).exitCode).toBe(2);
  const refused = await run('identity', 'enrol', ...at, ...wish, '--secret-file', open);
  expect(refused.exitCode).toBe(4);
  expect(refused.stdout + refused.stderr).not.toContain('the secret');
  chmodSync(open, 0o600);
  expect((await run('identity', 'enrol', ...at, ...wish, '--secret-file', open)).exitCode).toBe(6);
  const plain = ['--ca', 'http://ca.example:7054', '--plain-http'];
  expect((await run('identity', 'enrol', ...plain, ...wish, '--secret-file', open)).exitCode).toBe(4);
});

test('what is revoked has to be said in one way', async () => {
  const at = ['identity', 'revoke', '--ca', 'https://127.0.0.1:1', '--ca-root', join(place, 'ca-roots.pem')];
  for (const said of [
    [],
    ['--id', 'depot', '--serial', '0a'],
    ['--serial', '0a'],
    ['--id', 'a', '--certificate', place],
  ]) {
    expect((await run(...at, '--as', place, ...said)).exitCode).toBe(2);
  }
  const help = await run('identity', 'revoke', '--help');
  for (const reason of revocationReasons) expect(help.stdout).toContain(reason);
});
