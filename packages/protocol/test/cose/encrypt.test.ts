import { createPublicKey, createSecretKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import {
  bytesOf,
  cborTag,
  type CborValue,
  decodeCbor,
  type DecodedCbor,
  type DecodedHeader,
  decryptContent,
  ecdhP256,
  encodeCbor,
  encryptCose,
  externalAad,
  fromCoseKey,
  headerOf,
  isCborTag,
  readEncrypt,
  toCoseKey,
} from '../../src/index.ts';
import { codeOf, flipped, hex } from '../support/refusal.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const recipient = { kid: 'transport-1', publicKey };
const aad = externalAad('submission', 'trade');
const plaintext = Buffer.from('a submission');
const maxBytes = 1024 * 1024;
const partsOf = (value: DecodedCbor | undefined): readonly DecodedCbor[] => value as readonly DecodedCbor[];

test('what is sealed opens with the private key and names its recipient', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (content) => {
      const message = readEncrypt(encryptCose(recipient, content, aad), maxBytes);
      expect(message.kid).toBe('transport-1');
      expect(new Uint8Array(message.open(privateKey, aad))).toEqual(content);
    }),
    { numRuns: 20 },
  );
});

test('key agreement and additional data are those of RFC 9052 section 5 and RFC 9053 section 5.2', () => {
  const sealed = decodeCbor(encryptCose(recipient, plaintext, aad));
  if (!isCborTag(sealed, 96)) throw new Error('no COSE_Encrypt');
  const [protectedBytes, unprotected, ciphertext, recipients] = partsOf(sealed.value);
  expect(decodeCbor(bytesOf(protectedBytes))).toEqual(new Map([[1, 3]]));
  const [recipientProtected, recipientHeaders, encryptedKey] = partsOf(partsOf(recipients)[0]);
  expect(decodeCbor(bytesOf(recipientProtected))).toEqual(new Map([[1, -25]]));
  expect(encryptedKey).toEqual(new Uint8Array(0));
  const ephemeral = headerOf(headerOf(recipientHeaders).get(-1));
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: Buffer.from(bytesOf(ephemeral.get(-2))).toString('base64url'),
    y: Buffer.from(bytesOf(ephemeral.get(-3))).toString('base64url'),
  };
  const secret = diffieHellman({ privateKey, publicKey: createPublicKey({ format: 'jwk', key: jwk }) });
  const party = [null, null, null];
  const context = encodeCbor([3, party, party, [256, bytesOf(recipientProtected)]]);
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', context, 32)));
  const iv = bytesOf(headerOf(unprotected).get(5));
  const enc = encodeCbor(['Encrypt', bytesOf(protectedBytes), aad]);
  const opened = decryptContent(key, iv, bytesOf(ciphertext), enc);
  expect(opened).toEqual(plaintext);
});

test('a flipped bit anywhere but in the key id does not open', () => {
  const sealed = encryptCose(recipient, plaintext, aad);
  const codes = ['input-invalid', 'limit-exceeded', 'decryption-failed'];
  fc.assert(
    fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
      let kid = recipient.kid;
      const code = codeOf(() => {
        const message = readEncrypt(flipped(sealed, bit), maxBytes);
        kid = message.kid;
        message.open(privateKey, aad);
      });
      expect(kid === recipient.kid ? codes : ['accepted']).toContain(code);
    }),
    { numRuns: 300 },
  );
});

test('another key, type or channel does not open', () => {
  const message = readEncrypt(encryptCose(recipient, plaintext, aad), maxBytes);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  expect(codeOf(() => message.open(stranger.privateKey, aad))).toBe('decryption-failed');
  expect(codeOf(() => message.open(privateKey, externalAad('submission', 'other')))).toBe('decryption-failed');
  expect(codeOf(() => message.open(privateKey, externalAad('batch', 'trade')))).toBe('decryption-failed');
  const x25519 = generateKeyPairSync('x25519');
  expect(codeOf(() => message.open(x25519.privateKey, aad))).toBe('key-invalid');
});

describe('refused forms', () => {
  const iv = new Uint8Array(12);
  const header = encodeCbor(new Map([[1, 3]]));
  const agreement = encodeCbor(new Map([[1, -25]]));
  const headers = (change: readonly (readonly [number, CborValue])[] = []): CborValue =>
    new Map<number, CborValue>([[4, Buffer.from('kid')], [-1, toCoseKey(publicKey)], ...change]); // prettier-ignore
  const one: CborValue = [agreement, headers(), new Uint8Array(0)];
  const message = (recipients: CborValue, outer: CborValue = header, unprotected: CborValue = new Map([[5, iv]])): Uint8Array =>
    encodeCbor(cborTag(96, [outer, unprotected, new Uint8Array(32), recipients])); // prettier-ignore

  test('the assembled form is one', () => {
    expect(codeOf(() => readEncrypt(message([one]), maxBytes))).toBe('accepted');
  });

  test.each<[string, Uint8Array]>([
    ['no recipient', message([])],
    ['two recipients', message([one, one])],
    ['recipients that are no list', message(new Map())],
    ['a recipient with an encrypted key', message([[agreement, headers(), new Uint8Array(8)]])],
    ['another key agreement', message([[encodeCbor(new Map([[1, -29]])), headers(), new Uint8Array(0)]])],
    ['further protected recipient headers', message([[encodeCbor(new Map([[1, -25], [2, -1]])), headers(), new Uint8Array(0)]])], // prettier-ignore
    ['further recipient headers', message([[agreement, headers([[-20, Uint8Array.of(1)]]), new Uint8Array(0)]])],
    ['a key id that is not UTF-8', message([[agreement, headers([[4, Uint8Array.of(0xff)]]), new Uint8Array(0)]])],
    ['another content algorithm', message([one], encodeCbor(new Map([[1, 1]])))],
    ['further protected headers', message([one], encodeCbor(new Map([[1, 3], [2, 3]])))], // prettier-ignore
    ['further headers', message([one], header, new Map([[5, iv], [6, iv]]))], // prettier-ignore
    ['no IV', message([one], header, new Map())],
  ])('%s', (_rule, bytes) => {
    expect(codeOf(() => readEncrypt(bytes, maxBytes))).toBe('input-invalid');
  });

  test('a message above the limit', () => {
    expect(codeOf(() => readEncrypt(message([one]), 10))).toBe('limit-exceeded');
  });
});

describe('COSE_Key', () => {
  const key = (change: readonly (readonly [number, CborValue])[]): DecodedHeader =>
    headerOf(decodeCbor(encodeCbor(new Map<number, CborValue>([...toCoseKey(publicKey), ...change]))));

  test('a key comes back as it was', () => {
    expect(fromCoseKey(toCoseKey(publicKey)).equals(publicKey)).toBe(true);
  });

  test.each<[string, readonly (readonly [number, CborValue])[]]>([
    ['another type', [[1, 1]]],
    ['another curve', [[-1, 2]]],
    ['a short coordinate', [[-2, new Uint8Array(31)]]],
    ['a long coordinate', [[-3, new Uint8Array(33)]]],
    ['a point off the curve', [[-3, hex('01'.repeat(32))]]],
    ['coordinates of zero', [[-2, new Uint8Array(32)], [-3, new Uint8Array(32)]]], // prettier-ignore
    ['a coordinate beyond the field', [[-2, hex('ff'.repeat(32))]]],
    ['a coordinate that is a sign bit', [[-3, true]]],
    ['a private part', [[-4, new Uint8Array(32)]]],
  ])('%s is refused', (_rule, change) => {
    expect(codeOf(() => fromCoseKey(key(change)))).toBe('input-invalid');
  });

  test('a key of another kind has no COSE_Key here and agrees with none', () => {
    const x25519 = generateKeyPairSync('x25519');
    expect(codeOf(() => toCoseKey(x25519.publicKey))).toBe('key-invalid');
    expect(codeOf(() => ecdhP256({ privateKey, publicKey: x25519.publicKey }))).toBe('key-invalid');
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    expect(codeOf(() => toCoseKey(p384.publicKey))).toBe('key-invalid');
  });
});
