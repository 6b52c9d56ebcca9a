import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  cborTag,
  type CborValue,
  decryptCose0,
  decryptContent,
  encodeCbor,
  encodeProtected,
  encryptContent,
  encryptCose0,
  readEncrypt0,
} from '../../src/index.ts';
import { codeOf, flipped } from '../support/refusal.ts';

const key = createSecretKey(randomBytes(32));
const protectedBytes = encodeProtected(new Map<number | string, CborValue>([[1, 3], ['suite', 'waymark/v1']])); // prettier-ignore
const iv = new Uint8Array(12).fill(7);
const maxBytes = 1024 * 1024;
const seal = (plaintext: Uint8Array, externalAad?: Uint8Array): Uint8Array =>
  encryptCose0(key, {
    protectedBytes,
    iv,
    plaintext,
    unprotected: new Map([['commit', new Uint8Array(32)]]),
    ...(externalAad === undefined ? {} : { externalAad }),
  });

test('what is sealed opens to the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.uint8Array({ maxLength: 40 }), (plaintext, aad) => {
      const message = readEncrypt0(seal(plaintext, aad), maxBytes);
      expect(new Uint8Array(decryptCose0(key, message, aad))).toEqual(plaintext);
      expect(message.header.get('suite')).toBe('waymark/v1');
      expect(message.unprotected.get('commit')).toEqual(new Uint8Array(32));
      expect(message.iv).toEqual(iv);
    }),
    { numRuns: 50 },
  );
});

test('the additional data is the Enc_structure of RFC 9052 section 5.3', () => {
  const plaintext = Buffer.from('plain');
  const message = readEncrypt0(seal(plaintext, Uint8Array.of(9)), maxBytes);
  const aad = encodeCbor(['Encrypt0', protectedBytes, Uint8Array.of(9)]);
  expect(decryptContent(key, iv, message.ciphertext, aad)).toEqual(plaintext);
});

test('a flipped bit, another key and another context do not open', () => {
  const sealed = seal(Buffer.from('plain'));
  fc.assert(
    fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
      const changed = flipped(sealed, bit);
      const code = codeOf(() => {
        const message = readEncrypt0(changed, maxBytes);
        decryptCose0(key, message);
        // Unprotected headers but the IV are not covered: who uses one binds it himself, as the envelope does with its commitment.
        expect(Buffer.from(message.ciphertext)).toEqual(Buffer.from(readEncrypt0(sealed, maxBytes).ciphertext));
        expect(Buffer.from(message.protectedBytes)).toEqual(Buffer.from(protectedBytes));
        expect(message.iv).toEqual(iv);
      });
      expect(['accepted', 'input-invalid', 'limit-exceeded', 'decryption-failed']).toContain(code);
    }),
    { numRuns: 300 },
  );
  const message = readEncrypt0(sealed, maxBytes);
  expect(codeOf(() => decryptCose0(createSecretKey(randomBytes(32)), message))).toBe('decryption-failed');
  expect(codeOf(() => decryptCose0(createSecretKey(randomBytes(16)), message))).toBe('decryption-failed');
  expect(codeOf(() => decryptCose0(key, message, Uint8Array.of(1)))).toBe('decryption-failed');
});

const structure = (header: CborValue, unprotected: CborValue, ciphertext: CborValue): Uint8Array =>
  encodeCbor(cborTag(16, [header, unprotected, ciphertext]));

test.each<[string, Uint8Array]>([
  ['another algorithm', structure(encodeCbor(new Map([[1, 1]])), new Map([[5, iv]]), new Uint8Array(20))],
  ['no algorithm', structure(new Uint8Array(0), new Map([[5, iv]]), new Uint8Array(20))],
  ['a header that is no map', structure(encodeCbor([]), new Map([[5, iv]]), new Uint8Array(20))],
  ['no IV', structure(protectedBytes, new Map(), new Uint8Array(20))],
  ['an IV of another length', structure(protectedBytes, new Map([[5, new Uint8Array(8)]]), new Uint8Array(20))],
  ['no ciphertext', structure(protectedBytes, new Map([[5, iv]]), null)],
  ['unprotected headers that are no map', structure(protectedBytes, [], new Uint8Array(20))],
])('%s is refused', (_rule, bytes) => {
  expect(codeOf(() => readEncrypt0(bytes, maxBytes))).toBe('input-invalid');
});

test('a message above the limit is refused, and a ciphertext without a tag', () => {
  expect(codeOf(() => readEncrypt0(seal(new Uint8Array(100)), 100))).toBe('limit-exceeded');
  const short = readEncrypt0(structure(protectedBytes, new Map([[5, iv]]), new Uint8Array(15)), maxBytes);
  expect(codeOf(() => decryptCose0(key, short))).toBe('decryption-failed');
});

test('a key or IV of another length seals nothing', () => {
  const none = new Uint8Array(0);
  expect(codeOf(() => encryptContent(createSecretKey(randomBytes(16)), iv, none, none))).toBe('key-invalid');
  expect(codeOf(() => encryptContent(key, new Uint8Array(16), none, none))).toBe('internal');
});
