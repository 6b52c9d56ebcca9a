import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { agree, exportEncryptionKeyPair } from '../../src/keys/encryption-key.ts';
import { createKeyStore, openKeyStore, type KeyStore } from '../../src/keystore/key-store.ts';
import { readPassphrase } from '../../src/keystore/passphrase.ts';
import { codeOf, codeOfAsync, flipBit } from '../support/outcome.ts';

const passphrase = Buffer.from('correct horse battery staple');
const cost = { log2N: 14 };
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waymark-keys-'));
  file = join(folder, 'keys.json');
});
afterEach(() => rm(folder, { recursive: true }));
const create = (): Promise<KeyStore> => createKeyStore({ file, passphrase, nowMs: 1, cost });
const binding = { channel: 'c', msp: 'm', consignmentOid: Buffer.alloc(16, 1), epoch: 0 };

test('a key store opens again with the same secrets, mode 0600', async () => {
  const made = await create();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const wrapped = made.localWrap.wrapLocal(Buffer.alloc(32, 9), binding);
  const opened = await openKeyStore({ file, passphrase });
  expect(opened.encryptionKey.kid).toBe(made.encryptionKey.kid);
  expect(opened.outletSecret.equals(made.outletSecret)).toBe(true);
  expect(opened.indexRoot.equals(made.indexRoot)).toBe(true);
  expect(Buffer.from(opened.localWrap.unwrapLocal(wrapped, binding)).equals(Buffer.alloc(32, 9))).toBe(true);
  expect(await readdir(folder)).toEqual(['keys.json']);
});

test('former encryption keys still open; an unknown one has a name', async () => {
  const store = await create();
  const former = store.encryptionKey;
  const next = await store.rotateEncryptionKey('P-256', 2);
  expect(store.encryptionKey.kid).toBe(next.kid);
  const again = await openKeyStore({ file, passphrase });
  expect(again.encryptionKey.kid).toBe(next.kid);
  const held = again.encryptionKeyById(former.kid);
  expect(agree(held.privateKey, former.publicKey.keyObject)).toHaveLength(32);
  expect(codeOf(() => again.encryptionKeyById('x'))).toBe('key-unknown');
});

test('a new passphrase takes the place of the old one, and wraps stay good', async () => {
  const store = await create();
  const wrapped = store.localWrap.wrapLocal(Buffer.alloc(32, 9), binding);
  const other = Buffer.from('another passphrase');
  await store.changePassphrase(other);
  await store.rotateEncryptionKey('X25519', 3);
  expect(await codeOfAsync(() => openKeyStore({ file, passphrase }))).toBe('decryption-failed');
  const opened = await openKeyStore({ file, passphrase: other });
  expect(opened.encryptionKey.kid).toBe(store.encryptionKey.kid);
  expect(opened.localWrap.unwrapLocal(wrapped, binding)).toHaveLength(32);
});

test('key stores with the same local root open what each other has wrapped, and share nothing else', async () => {
  const localRoot = randomBytes(32);
  const made = (name: string, root: object): Promise<KeyStore> =>
    createKeyStore({ file: join(folder, name), passphrase, nowMs: 1, cost, ...root });
  const [center, standby, other] = await Promise.all([
    made('a', { localRoot }),
    made('b', { localRoot }),
    made('c', {}),
  ]);
  const wrapped = center.localWrap.wrapLocal(Buffer.alloc(32, 9), binding);
  expect(Buffer.from(standby.localWrap.unwrapLocal(wrapped, binding))).toEqual(Buffer.alloc(32, 9));
  expect(codeOf(() => other.localWrap.unwrapLocal(wrapped, binding))).toBe('decryption-failed');
  expect(standby.outletSecret.equals(center.outletSecret)).toBe(false);
  expect(standby.indexRoot.equals(center.indexRoot)).toBe(false);
  expect(standby.encryptionKey.kid).not.toBe(center.encryptionKey.kid);
  expect(await codeOfAsync(() => made('d', { localRoot: randomBytes(31) }))).toBe('key-invalid');
});

test('a key store that others may touch is not opened', async () => {
  await create();
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    await chmod(file, mode);
    expect([mode, await codeOfAsync(() => openKeyStore({ file, passphrase }))]).toEqual([
      mode,
      'configuration-invalid',
    ]);
  }
});

test('a key store is never made over another, and one that is missing is named', async () => {
  await create();
  expect(await codeOfAsync(create)).toBe('conflict');
  expect(await codeOfAsync(() => openKeyStore({ file: join(folder, 'none'), passphrase }))).toBe(
    'configuration-invalid',
  );
  expect(
    await codeOfAsync(() =>
      createKeyStore({ file: join(folder, 'b'), passphrase, nowMs: 1, cost, indexRoot: randomBytes(31) }),
    ),
  ).toBe('key-invalid');
  expect(
    await codeOfAsync(() => createKeyStore({ file: join(folder, 'b'), passphrase, nowMs: 1, cost: { log2N: 40 } })),
  ).toBe('configuration-invalid');
});

test('another passphrase, an altered file and another document open nothing', async () => {
  await create();
  expect(
    await codeOfAsync(() => openKeyStore({ file, passphrase: Buffer.from('correct horse battery stapler') })),
  ).toBe('decryption-failed');
  const bytes = await readFile(file);
  const text = bytes.toString('utf8');
  for (let bit = 0; bit < bytes.length * 8; bit += 419) {
    await writeFile(file, flipBit(bytes, bit));
    const code = await codeOfAsync(() => openKeyStore({ file, passphrase }));
    // White space between the parts is the one thing that does not count.
    const harmless = /^[\s]$/.test(text[bit >> 3] ?? '');
    expect([bit, harmless || ['decryption-failed', 'data-abnormal', 'configuration-invalid'].includes(code)]).toEqual([
      bit,
      true,
    ]);
  }
  for (const other of [
    '',
    '{}',
    '[]',
    'null',
    '{"v":1,"type":"waymark/key-store"}',
    text.replace('"log2N": 14', '"log2N": 15'),
  ]) {
    await writeFile(file, other);
    expect(await codeOfAsync(() => openKeyStore({ file, passphrase }))).toMatch(
      /^(?:decryption-failed|data-abnormal)$/,
    );
  }
  await writeFile(file, text.replace('"log2N": 14', '"log2N": 30'));
  expect(await codeOfAsync(() => openKeyStore({ file, passphrase }))).toBe('configuration-invalid');
});

test('a second process that changed the file is not overwritten', async () => {
  const [a] = [await create()];
  const b = await openKeyStore({ file, passphrase });
  await a.rotateEncryptionKey('P-256', 2);
  expect(await codeOfAsync(() => b.rotateEncryptionKey('P-256', 2))).toBe('conflict');
  expect((await openKeyStore({ file, passphrase })).encryptionKey.kid).toBe(a.encryptionKey.kid);
});

test('changes at once all happen; a change that failed changes nothing', async () => {
  const store = await create();
  const pairs = await Promise.all([2, 3, 4].map((nowMs) => store.rotateEncryptionKey('P-256', nowMs)));
  const opened = await openKeyStore({ file, passphrase });
  for (const { kid } of pairs) expect(opened.encryptionKeyById(kid).kid).toBe(kid);
  const before = store.encryptionKey.kid;
  await rm(file);
  expect(await codeOfAsync(() => store.rotateEncryptionKey('P-256', 5))).toBe('conflict');
  expect(store.encryptionKey.kid).toBe(before);
});

test('transport keys lie in the store and are gone from it when deleted', async () => {
  const store = await create();
  const { jwk } = exportEncryptionKeyPair(store.encryptionKey);
  await store.transportKeys.save([{ jwk, notBeforeMs: 1, notAfterMs: 2, announcement: 'AA' }]);
  const opened = await openKeyStore({ file, passphrase });
  expect(await opened.transportKeys.load()).toEqual([{ jwk, notBeforeMs: 1, notAfterMs: 2, announcement: 'AA' }]);
  await opened.transportKeys.save([]);
  expect(await (await openKeyStore({ file, passphrase })).transportKeys.load()).toEqual([]);
});

test('a local wrap opens at its own place, under its own store, unaltered', async () => {
  const [store, other] = [
    await create(),
    await createKeyStore({ file: join(folder, 'b'), passphrase, nowMs: 1, cost }),
  ];
  const wrapped = store.localWrap.wrapLocal(randomBytes(32), binding);
  expect(wrapped).toHaveLength(61);
  for (const place of [{ epoch: 1 }, { channel: 'd' }, { msp: 'n' }, { consignmentOid: Buffer.alloc(16, 2) }]) {
    expect(codeOf(() => store.localWrap.unwrapLocal(wrapped, { ...binding, ...place }))).toBe('decryption-failed');
  }
  expect(codeOf(() => other.localWrap.unwrapLocal(wrapped, binding))).toBe('decryption-failed');
  for (let bit = 0; bit < wrapped.length * 8; bit += 7) {
    expect(codeOf(() => store.localWrap.unwrapLocal(flipBit(wrapped, bit), binding))).toBe('decryption-failed');
  }
  expect(codeOf(() => store.localWrap.unwrapLocal(wrapped.subarray(1), binding))).toBe('decryption-failed');
  expect(codeOf(() => store.localWrap.wrapLocal(randomBytes(16), binding))).toBe('key-invalid');
});

test('no secret is in the file, in the store as printed, or in an error', async () => {
  const store = await create();
  const { jwk, seed } = exportEncryptionKeyPair(store.encryptionKey);
  const secrets = [
    jwk.d,
    seed ?? '',
    store.outletSecret.export().toString('base64url'),
    store.indexRoot.export().toString('hex'),
    passphrase.toString(),
  ];
  const texts = [await readFile(file, 'utf8'), inspect(store, { depth: 9, showHidden: true })];
  for (const run of [
    create,
    () => openKeyStore({ file, passphrase: Buffer.from('something else') }),
    () => openKeyStore({ file: join(folder, 'x'), passphrase }),
  ]) {
    try {
      await run();
    } catch (error) {
      texts.push(inspect(error, { depth: 9, showHidden: true }));
    }
  }
  expect(texts).toHaveLength(5);
  for (const text of texts) for (const secret of secrets) expect(text).not.toContain(secret);
});

test('a passphrase comes from a private file or a descriptor, less its line end', async () => {
  const secretFile = join(folder, 'passphrase');
  await writeFile(secretFile, 'correct horse battery staple\n', { mode: 0o600 });
  expect(Buffer.from(readPassphrase({ file: secretFile })).equals(passphrase)).toBe(true);
  const handle = await open(secretFile, 'r');
  expect(Buffer.from(readPassphrase({ fileDescriptor: handle.fd })).equals(passphrase)).toBe(true);
  await handle.close().catch(() => undefined);
  await chmod(secretFile, 0o644);
  expect(codeOf(() => readPassphrase({ file: secretFile }))).toBe('configuration-invalid');
  expect(codeOf(() => readPassphrase({ file: join(folder, 'none') }))).toBe('configuration-invalid');
  for (const content of ['', 'short\n', 'x'.repeat(1_025), 'x'.repeat(5_000)]) {
    await rm(secretFile);
    await writeFile(secretFile, content, { mode: 0o600 });
    expect([content.length, codeOf(() => readPassphrase({ file: secretFile }))]).toEqual([
      content.length,
      'configuration-invalid',
    ]);
  }
});
