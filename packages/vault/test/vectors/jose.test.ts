import { createDecipheriv, createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import { decryptCompact } from '../../src/jose/compact-jwe.ts';
import { verifyCompact } from '../../src/jose/compact-jws.ts';
import { parseEncryptionKeyPair, parseEncryptionPublicKey, agree } from '../../src/keys/encryption-key.ts';
import { parseSigningKeyPair, parseSigningPublicKey } from '../../src/keys/signing-key.ts';
import { Tally, describeVectors, type WycheproofCase, type WycheproofFile } from '../support/vectors.ts';

const maxBytes = 64 * 1024;

interface JoseKey {
  readonly alg?: string;
  readonly use?: string;
  readonly kty?: string;
  readonly keys?: readonly JoseKey[];
}
interface JoseCase extends WycheproofCase {
  readonly jwe?: unknown;
  readonly jws?: unknown;
  readonly pt?: string;
  readonly enc?: string;
}
interface JoseGroup {
  readonly comment: string;
  readonly private: JoseKey;
  readonly public?: JoseKey;
  readonly tests: readonly JoseCase[];
}

async function outcome(run: () => Promise<Uint8Array>): Promise<string | null> {
  try {
    return Buffer.from(await run()).toString('hex');
  } catch (error) {
    if (isWaymarkError(error)) return null;
    throw error;
  }
}

/** Some of the vectors name a key in their header: then we expect that name, as a protocol that uses `kid` would. */
const namesKey = (jws: string): boolean =>
  Buffer.from(jws.split('.')[0] ?? '', 'base64url')
    .toString('utf8')
    .includes('"kid":"kid-ec-sign"');

describeVectors('Wycheproof json_web_encryption', 'wycheproof/json_web_encryption_test.json', (data) => {
  test('ECDH-ES+A256KW with A256GCM opens or is refused as it must be; all else is refused', async () => {
    const file = data as WycheproofFile<JoseGroup>;
    const tally = new Tally('wycheproof json_web_encryption');
    for (const group of file.testGroups) {
      for (const vector of group.tests) {
        const open = (): Promise<Uint8Array> =>
          decryptCompact(String(vector.jwe), parseEncryptionKeyPair({ jwk: group.private }), {}, maxBytes);
        const ours = group.private.alg === 'ECDH-ES+A256KW' && vector.enc === 'A256GCM';
        if (vector.result === 'valid' && ours) {
          expect([vector.tcId, await outcome(open)]).toEqual([vector.tcId, vector.pt]);
          tally.pass('valid');
        } else {
          expect([vector.tcId, await outcome(open)]).toEqual([vector.tcId, null]);
          if (vector.result === 'valid') tally.skip('an algorithm we do not use (was refused)');
          else tally.pass(vector.result);
        }
      }
    }
    tally.close(file.numberOfTests);
  });
});

async function verifies(vector: JoseCase, key: JoseKey | undefined): Promise<string | null> {
  return outcome(async () => {
    const jws = String(vector.jws);
    const expected = namesKey(jws) ? { kid: 'kid-ec-sign' } : {};
    return verifyCompact(jws, parseSigningPublicKey(key), expected, maxBytes);
  });
}

for (const name of ['json_web_signature', 'json_web_crypto', 'json_web_key']) {
  describeVectors(`Wycheproof ${name}`, `wycheproof/${name}_test.json`, (data) => {
    test('ES256 verifies or is refused as it must be; all else is refused', async () => {
      const file = data as WycheproofFile<JoseGroup>;
      const tally = new Tally(`wycheproof ${name}`);
      for (const group of file.testGroups) {
        const key = group.public?.keys?.[0] ?? group.public;
        for (const vector of group.tests) {
          if (vector.jws === undefined) {
            const open = (): Promise<Uint8Array> =>
              decryptCompact(String(vector.jwe), parseEncryptionKeyPair({ jwk: group.private }), {}, maxBytes);
            expect([vector.tcId, await outcome(open)]).toEqual([vector.tcId, null]);
            if (vector.result === 'valid') tally.skip('an algorithm we do not use (was refused)');
            else tally.pass(vector.result);
            continue;
          }
          if (vector.result === 'valid' && key?.alg === 'ES256') {
            expect([vector.tcId, await verifies(vector, key)]).toEqual([vector.tcId, expect.any(String)]);
            tally.pass('valid');
          } else {
            expect([vector.tcId, await verifies(vector, key)]).toEqual([vector.tcId, null]);
            if (vector.result === 'valid') tally.skip('an algorithm we do not use (was refused)');
            else tally.pass(vector.result);
          }
        }
      }
      tally.close(file.numberOfTests);
    });
  });
}

const data = process.env['WAYMARK_DATA'];
const cookbook = data === undefined ? '' : join(data, 'jose-cookbook');
const describeCookbook = existsSync(cookbook) ? describe : describe.skip;

describeCookbook(`JOSE cookbook${existsSync(cookbook) ? '' : ' (skipped: WAYMARK_DATA is not set)'}`, () => {
  interface Example {
    readonly title: string;
    readonly input: {
      readonly alg?: unknown;
      readonly enc?: string;
      readonly key?: JoseKey;
      readonly plaintext?: string;
    };
    readonly output?: { readonly compact?: string };
    readonly encrypting_key?: { readonly epk?: { readonly crv: string; readonly d: string } };
    readonly encrypting_content?: { readonly protected?: { readonly epk?: unknown } };
  }
  const read = (folder: string): (readonly [string, Example])[] =>
    readdirSync(join(cookbook, folder)).map((file) => [
      file,
      JSON.parse(readFileSync(join(cookbook, folder, file), 'utf8')) as Example,
    ]);

  test('keys of other curves and types are refused by name; no example is left out', () => {
    const tally = new Tally('jose-cookbook jwk');
    const examples = read('jwk');
    for (const [file, example] of examples) {
      for (const parse of [parseSigningKeyPair, parseSigningPublicKey]) {
        expect(() => parse(example)).toThrow(expect.objectContaining({ code: 'key-invalid' }) as Error);
      }
      tally.skip(`not P-256 or X25519 (was refused): ${file}`);
    }
    tally.close(examples.length);
  });

  test('messages of algorithms we do not use are refused', async () => {
    for (const folder of ['jws', 'jwe', 'rfc7797']) {
      const examples = read(folder);
      const tally = new Tally(`jose-cookbook ${folder}`);
      for (const [, example] of examples) {
        const algorithms = [example.input.alg].flat();
        expect(algorithms).not.toContain('ES256');
        expect(algorithms.includes('ECDH-ES+A256KW') && example.input.enc === 'A256GCM').toBe(false);
        const { compact } = example.output ?? {};
        if (compact !== undefined) {
          const run =
            folder === 'jwe'
              ? () => decryptCompact(compact, parseEncryptionKeyPair({ jwk: example.input.key }), {}, maxBytes)
              : () => verifyCompact(compact, parseSigningPublicKey(example.input.key), {}, maxBytes);
          expect(await outcome(run)).toBeNull();
        }
        tally.skip(`${algorithms.join(', ')} is not in use`);
      }
      tally.close(examples.length);
    }
  });

  test('our X25519 agreement gives the content key of the ECDH-ES example', () => {
    const examples = read('curve25519');
    const tally = new Tally('jose-cookbook curve25519');
    for (const [file, example] of examples) {
      if (file !== 'ecdh-es.json') {
        tally.skip('EdDSA is not in use');
        continue;
      }
      const bob = parseEncryptionKeyPair({ jwk: example.input.key });
      const epk = parseEncryptionPublicKey(example.encrypting_content?.protected?.epk);
      const shared = agree(bob.privateKey, epk.keyObject);
      const [head = '', , iv = '', ciphertext = '', tag = ''] = (example.output?.compact ?? '').split('.');
      const plaintext = createDecipheriv('aes-128-gcm', contentKey(shared, 'A128GCM', 16), Buffer.from(iv, 'base64url'))
        .setAAD(Buffer.from(head, 'ascii'))
        .setAuthTag(Buffer.from(tag, 'base64url'))
        .update(Buffer.from(ciphertext, 'base64url'));
      expect(plaintext.toString('utf8')).toBe(example.input.plaintext);
      tally.pass('valid');
    }
    tally.close(examples.length);
  });
});

/** Concat KDF of RFC 7518 section 4.6.2 with empty party information: one round. */
function contentKey(shared: Uint8Array, algorithm: string, keyBytes: number): Uint8Array {
  const u32 = (value: number): Uint8Array => Buffer.of(0, 0, 0, value);
  const info = [u32(algorithm.length), Buffer.from(algorithm), u32(0), u32(0), u32(keyBytes * 8)];
  return createHash('sha256')
    .update(Buffer.concat([u32(1), shared, ...info]))
    .digest()
    .subarray(0, keyBytes);
}
