import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { encodeCbor } from '@waymark/protocol';
import { encryptCompact } from '../../src/jose/compact-jwe.ts';
import { unwrapConsignmentKey, wrapConsignmentKey } from '../../src/jose/consignment-key.ts';
import { consignmentKeyCommitment } from '../../src/envelope/key-schedule.ts';
import { generateEncryptionKeyPair } from '../../src/keys/encryption-key.ts';
import { codeOfAsync, spellings } from '../support/outcome.ts';

const context = { channel: 'shipments', msp: 'Org1MSP', consignmentOid: randomBytes(16), epoch: 3 };
const ck = randomBytes(32);
const ownerKid = generateEncryptionKeyPair('X25519').kid;
const headerOf = (jwe: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

test.each(['P-256', 'X25519'] as const)(
  'a consignment key reaches one %s reader, bound to its place',
  async (curve) => {
    const reader = generateEncryptionKeyPair(curve);
    const other = generateEncryptionKeyPair(curve);
    const { jwe, commitment } = await wrapConsignmentKey({ ck, context, ownerKid, recipient: reader.publicKey });
    expect(headerOf(jwe)).toMatchObject({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      kid: reader.kid,
      apu: Buffer.from(ownerKid).toString('base64url'),
    });
    const good = { context, ownerKid, reader, commitment };
    expect(Buffer.from(await unwrapConsignmentKey(jwe, good)).equals(ck)).toBe(true);
    expect(await codeOfAsync(() => unwrapConsignmentKey(jwe, { ...good, reader: other }))).toBe('decryption-failed');
    expect(await codeOfAsync(() => unwrapConsignmentKey(jwe, { ...good, ownerKid: other.kid }))).toBe(
      'decryption-failed',
    );
    for (const place of [{ epoch: 4 }, { channel: 'b' }, { msp: 'b' }, { consignmentOid: randomBytes(16) }]) {
      expect(await codeOfAsync(() => unwrapConsignmentKey(jwe, { ...good, context: { ...context, ...place } }))).toBe(
        'decryption-failed',
      );
    }
    expect(await codeOfAsync(() => unwrapConsignmentKey(jwe, { ...good, commitment: randomBytes(32) }))).toBe(
      'data-abnormal',
    );
    expect(await codeOfAsync(() => unwrapConsignmentKey('x'.repeat(9_000), good))).toBe('limit-exceeded');
  },
);

test('a wrap whose header names another recipient, or says more or less than ours, opens nothing', async () => {
  const reader = generateEncryptionKeyPair('P-256');
  const other = generateEncryptionKeyPair('P-256');
  const { jwe } = await wrapConsignmentKey({ ck, context, ownerKid, recipient: reader.publicKey });
  const [head = '', ...rest] = jwe.split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString('utf8')) as Record<string, unknown>;
  const without = Object.fromEntries(Object.entries(header).filter(([name]) => name !== 'apv'));
  for (const changed of [
    { ...header, kid: other.kid },
    { ...header, zip: 'DEF' },
    { ...header, crit: ['exp'], exp: 1 },
    { ...header, alg: 'ECDH-ES' },
    { ...header, enc: 'A128GCM' },
    { ...header, epk: other.publicKey.jwk },
    { ...header, epk: { kty: 'OKP', crv: 'X25519', x: 'AA' } },
    without,
  ]) {
    const altered = [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...rest].join('.');
    expect(await codeOfAsync(() => unwrapConsignmentKey(altered, { context, ownerKid, reader }))).toBe(
      'decryption-failed',
    );
  }
});

test('two readers cannot be given two keys: the payload must be what was committed to', async () => {
  const reader = generateEncryptionKeyPair('P-256');
  const apv = encodeCbor([
    'waymark/v1',
    'consignment-key',
    context.channel,
    context.msp,
    context.consignmentOid,
    context.epoch,
    reader.kid,
  ]);
  const binding = { typ: 'waymark-consignment-key+jwe', kid: reader.kid, apu: Buffer.from(ownerKid), apv };
  const published = consignmentKeyCommitment(ck, context);
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const false_ = randomBytes(32);
  for (const payload of [
    { ck: encode(false_), commitment: encode(published) },
    { ck: encode(false_), commitment: encode(consignmentKeyCommitment(false_, context)) },
    { ck: encode(ck) },
    { ck: encode(ck), commitment: encode(published), more: 1 },
    { ck: encode(ck).slice(1), commitment: encode(published) },
    [],
    null,
  ]) {
    const jwe = await encryptCompact(Buffer.from(JSON.stringify(payload)), reader.publicKey, binding);
    const attempt = (): Promise<unknown> =>
      unwrapConsignmentKey(jwe, { context, ownerKid, reader, commitment: published });
    expect([payload, await codeOfAsync(attempt)]).toEqual([payload, 'data-abnormal']);
  }
});

test('the key is in no error and not in the wrap', async () => {
  const reader = generateEncryptionKeyPair('P-256');
  const { jwe, commitment } = await wrapConsignmentKey({ ck, context, ownerKid, recipient: reader.publicKey });
  const texts = [jwe, Buffer.from(commitment).toString('latin1')];
  for (const run of [
    () => unwrapConsignmentKey(jwe, { context, ownerKid: 'x', reader }),
    () => unwrapConsignmentKey(jwe, { context, ownerKid, reader, commitment: randomBytes(32) }),
    () => wrapConsignmentKey({ ck: Buffer.concat([ck, ck]), context, ownerKid, recipient: reader.publicKey }),
  ]) {
    await run().catch((error: unknown) => texts.push(inspect(error, { depth: 9, showHidden: true })));
  }
  expect(texts).toHaveLength(5);
  for (const text of texts) for (const form of spellings(ck)) expect(text).not.toContain(form);
});
