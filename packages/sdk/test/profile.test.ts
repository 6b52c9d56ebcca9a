import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import { connect, loadProfile } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'waymark-profile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = `
mspId: Org1MSP
channel: waymark
identity: { certificateFile: certificate.pem, privateKeyFile: key.pem }
organisations:
  Org1MSP: { rootFiles: [root.pem] }
`;

function write(text: string): string {
  const file = join(folder, 'profile.yaml');
  writeFileSync(file, text);
  return file;
}

function refusal(text: string): { message: string; place: unknown } {
  try {
    loadProfile(write(text));
  } catch (error) {
    if (isWaymarkError(error, 'configuration-invalid'))
      return { message: error.message, place: error.details['place'] };
    throw error;
  }
  throw new Error('the profile was taken');
}

test('relative paths are taken from the folder of the profile, and defaults are filled in', () => {
  expect(loadProfile(write(good))).toMatchObject({
    chaincode: 'waymark',
    identity: { certificateFile: join(folder, 'certificate.pem') },
    organisations: { Org1MSP: { rootFiles: [join(folder, 'root.pem')], intermediateFiles: [] } },
    content: { kind: 'api' },
  });
});

test.each([
  ['a missing key', good.replace('mspId: Org1MSP', ''), 'mspId'],
  ['an unknown key', `${good}\nchanel: typo\n`, 'chanel'],
  ['an endpoint that is none', `${good}\noutlet: { endpoint: nowhere, tlsRootFile: root.pem }\n`, 'outlet.endpoint'],
  ['an address that is no URL', `${good}\napi: { url: here, tlsRootFile: root.pem }\n`, 'api.url'],
  ['no root of an organisation', good.replace('[root.pem]', '[]'), 'organisations.Org1MSP.rootFiles'],
])('%s is named with its place', (_, text, place) => {
  const { message, place: named } = refusal(text);
  expect(named).toBe(place);
  expect(message).toContain(place);
});

test('a key that stands in the profile itself is refused and not repeated', () => {
  const { message } = refusal(good.replace('key.pem', '"-----BEGIN PRIVATE KEY-----secret"'));
  expect(message).toContain('identity.privateKeyFile');
  expect(message).not.toContain('secret');
});

test('text that is not YAML is refused with its line', () => {
  expect(refusal('mspId: [').place).toMatch(/^line \d+$/);
  expect(refusal('a: &x [1]\nb: *x\n').message).toContain('aliases');
});

test('a profile that is not there is a configuration error that names it', () => {
  const file = join(folder, 'absent.yaml');
  expect.assertions(1);
  try {
    connect(file);
  } catch (error) {
    expect(error).toMatchObject({ code: 'configuration-invalid', details: { file } });
  }
});
