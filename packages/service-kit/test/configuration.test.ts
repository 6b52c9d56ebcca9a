import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWaymarkError, type WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import { loadConfiguration, readSecretFile, type ConfigurationTypes } from '../src/index.ts';
import { removeFolders, temporaryFolder } from './fixture.ts';

afterAll(removeFolders);

const schema = (types: ConfigurationTypes) =>
  types.section({
    mspId: types.name(),
    level: z.enum(['info', 'debug']).default('info'),
    listen: types.section({ port: types.port() }),
    ledger: types.section({ endpoint: types.endpoint() }).optional(),
    tls: types.section({ keyFile: types.secretFile() }).optional(),
    dataFolder: types.path(),
    peers: z.array(types.endpoint()).max(3).optional(),
  });

function load(text: string) {
  const file = join(temporaryFolder(), 'center.yaml');
  writeFileSync(file, text);
  return { file, load: () => loadConfiguration(file, schema) };
}

function failureOf(text: string): WaymarkError {
  try {
    load(text).load();
  } catch (error) {
    if (isWaymarkError(error, 'configuration-invalid')) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const good = 'mspId: Org1MSP\nlisten: {port: 0}\ndataFolder: data\n';

test('relative paths are taken from the folder of the configuration file', () => {
  const { file, load: read } = load(`${good}tls: {keyFile: ../keys/tls.key}\n`);
  const configuration = read();
  expect(configuration.dataFolder).toBe(join(file, '..', 'data'));
  expect(configuration.tls?.keyFile).toBe(join(file, '..', '..', 'keys/tls.key'));
  expect(configuration).toMatchObject({ mspId: 'Org1MSP', level: 'info', listen: { port: 0 } });
});

test.each([
  ['a key that is not known', `${good}colour: red\n`, 'colour', /this key is not known here/],
  ['an unknown key further down', 'mspId: a\nlisten: {port: 1, prot: 2}\ndataFolder: d\n', 'listen.prot', /not known/],
  ['a value of another type', 'mspId: 7\nlisten: {port: 1}\ndataFolder: d\n', 'mspId', /expected text/],
  [
    'a number out of range',
    'mspId: a\nlisten: {port: 70000}\ndataFolder: d\n',
    'listen.port',
    /whole number from 0 to 65535/,
  ],
  ['a word that is none of the permitted', `${good}level: loud\n`, 'level', /expected one of info, debug/],
  ['a missing key', 'mspId: a\ndataFolder: d\n', 'listen', /expected object/],
  ['an element of a list', `${good}peers: [a:1, b]\n`, 'peers[1]', /expected host:port/],
  ['an endpoint without a port', `${good}ledger: {endpoint: localhost}\n`, 'ledger.endpoint', /expected host:port/],
])('%s is named with what is expected there', (_name, text, key, message) => {
  const error = failureOf(text);
  expect(error.details['key']).toBe(key);
  expect(error.message).toMatch(message);
  expect(error.message).toContain('center.yaml');
});

test('a secret in the configuration is refused and not repeated in the message', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----';
  const error = failureOf(`${good}tls:\n  keyFile: |\n    ${pem.replaceAll('\n', '\n    ')}\n`);
  expect(error.details['key']).toBe('tls.keyFile');
  expect(error.message).toMatch(/got the secret itself/);
  expect(error.message).not.toContain('MIGH');
});

test.each([
  ['two equal keys', 'mspId: a\nmspId: b\n', /line 2/],
  ['no YAML', 'a: [1,\n', /not valid YAML/],
  ['an alias', 'mspId: &a x\nlisten: {port: 1}\ndataFolder: *a\n', /aliases/],
  ['nothing', '', /the whole file/],
  ['a list', '[1]', /the whole file/],
])('a file with %s is refused', (_name, text, message) => {
  expect(failureOf(text).message).toMatch(message);
});

test('a file that is not there is named', () => {
  expect(() => loadConfiguration('/nonexistent/center.yaml', schema)).toThrow(/\/nonexistent\/center.yaml/);
});

test('a secret that everybody may read is refused', () => {
  const file = join(temporaryFolder(), 'key');
  writeFileSync(file, 'secret', { mode: 0o600 });
  expect(readSecretFile(file)).toBe('secret');
  chmodSync(file, 0o644);
  expect(() => readSecretFile(file)).toThrow(/open to everybody/);
});
