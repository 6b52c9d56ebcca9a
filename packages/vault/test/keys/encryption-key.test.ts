import { inspect } from 'node:util';
import fc from 'fast-check';
import { isWaymarkError } from '@waymark/protocol';
import {
  agree,
  exportEncryptionKeyPair,
  generateEncryptionKeyPair,
  parseEncryptionKeyPair,
  parseEncryptionPublicKey,
} from '../../src/keys/encryption-key.ts';
import { possessionProven, provePossession } from '../../src/keys/possession.ts';

const curves = ['P-256', 'X25519'] as const;
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
};

test.each(curves)('two %s pairs agree on the same 32 bytes, and a kept pair is the same pair again', (curve) => {
  const [a, b] = [generateEncryptionKeyPair(curve), generateEncryptionKeyPair(curve)];
  const shared = agree(a.privateKey, b.publicKey.keyObject);
  expect(shared).toHaveLength(32);
  const again = parseEncryptionKeyPair(exportEncryptionKeyPair(b));
  expect(again.kid).toBe(b.kid);
  expect(agree(again.privateKey, a.publicKey.keyObject)).toEqual(shared);
});

test('the key id is the RFC 7638 thumbprint, whatever the input says about itself', () => {
  // The P-256 key of RFC 7517 appendix A.1; its thumbprint was computed with another implementation.
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
    y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    use: 'enc',
    kid: '1',
  };
  expect(parseEncryptionPublicKey(jwk).kid).toBe('cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s');
});

test.each(curves)('possession of a %s key is proven for one statement and one key only', (curve) => {
  const pair = generateEncryptionKeyPair(curve);
  const other = generateEncryptionKeyPair(curve);
  const statement = Buffer.from('statement');
  const proof = provePossession(pair, statement);
  expect(possessionProven(pair.publicKey, statement, proof)).toBe(true);
  expect(possessionProven(pair.publicKey, Buffer.from('statemenT'), proof)).toBe(false);
  expect(possessionProven(other.publicKey, statement, proof)).toBe(false);
  expect(possessionProven(pair.publicKey, statement, proof.subarray(1))).toBe(false);
  const kept = parseEncryptionKeyPair(exportEncryptionKeyPair(pair));
  expect(possessionProven(pair.publicKey, statement, provePossession(kept, statement))).toBe(true);
});

test('any flipped bit of a proof of possession makes it void', () => {
  for (const curve of curves) {
    const pair = generateEncryptionKeyPair(curve);
    const proof = Buffer.from(provePossession(pair, Buffer.from('s')));
    fc.assert(
      fc.property(fc.nat(proof.length * 8 - 1), (bit) => {
        const altered = Buffer.from(proof);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return !possessionProven(pair.publicKey, Buffer.from('s'), altered);
      }),
      { numRuns: 60 },
    );
  }
});

test('an X25519 key without its seed opens but cannot prove possession', () => {
  const { jwk } = exportEncryptionKeyPair(generateEncryptionKeyPair('X25519'));
  const bare = parseEncryptionKeyPair({ jwk });
  expect(codeOf(() => provePossession(bare, Buffer.from('s')))).toBe('unsupported');
});

test('X25519 points of low order and second spellings of a point are refused when read', () => {
  const points = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '09000000000000000000000000000000000000000000000000000000000000 80'.replace(' ', ''),
  ];
  for (const point of points) {
    const x = Buffer.from(point, 'hex').toString('base64url');
    expect([point, codeOf(() => parseEncryptionPublicKey({ kty: 'OKP', crv: 'X25519', x }))]).toEqual([
      point,
      'key-invalid',
    ]);
  }
});

test('anything that is not exactly a public encryption key is refused', () => {
  const { jwk } = generateEncryptionKeyPair('P-256').publicKey;
  const stored = exportEncryptionKeyPair(generateEncryptionKeyPair('P-256'));
  const y = 'y' in jwk ? jwk.y : '';
  const bad: unknown[] = [
    null,
    'key',
    [],
    {},
    { ...jwk, kty: 'OKP' },
    { ...jwk, crv: 'P-384' },
    { ...jwk, x: `${jwk.x}=` },
    { ...jwk, x: jwk.x.slice(1) },
    { ...jwk, x: 7 },
    { ...jwk, x: y, y: jwk.x },
    { ...jwk, y: undefined },
    { ...jwk, use: 'sig' },
    { ...jwk, alg: 'ES256' },
    { ...jwk, key_ops: ['sign'] },
    { ...jwk, key_ops: [] },
    { ...jwk, key_ops: 'deriveBits' },
    stored.jwk,
  ];
  for (const input of bad)
    expect([input, codeOf(() => parseEncryptionPublicKey(input))]).toEqual([input, 'key-invalid']);
  expect(
    codeOf(() => parseEncryptionPublicKey({ ...jwk, use: 'enc', alg: 'ECDH-ES+A256KW', key_ops: ['deriveBits'] })),
  ).toBe('accepted');
});

test.each(curves)('a %s pair whose halves do not belong together is refused', (curve) => {
  const a = exportEncryptionKeyPair(generateEncryptionKeyPair(curve));
  const b = exportEncryptionKeyPair(generateEncryptionKeyPair(curve));
  expect(codeOf(() => parseEncryptionKeyPair({ jwk: { ...a.jwk, d: b.jwk.d } }))).toBe('key-invalid');
  if (b.seed !== undefined) {
    expect(codeOf(() => parseEncryptionKeyPair({ ...a, seed: b.seed ?? '' }))).toBe('key-invalid');
  }
  const zero = Buffer.alloc(32).toString('base64url');
  expect(codeOf(() => parseEncryptionKeyPair({ jwk: { ...a.jwk, d: zero } }))).toBe('key-invalid');
});

test('agreeing across curves is refused', () => {
  const [a, b] = [generateEncryptionKeyPair('P-256'), generateEncryptionKeyPair('X25519')];
  expect(codeOf(() => agree(a.privateKey, b.publicKey.keyObject))).toBe('key-invalid');
});

test.each(curves)('a %s private key is in no message, no JSON and no inspection', (curve) => {
  const pair = generateEncryptionKeyPair(curve);
  const stored = exportEncryptionKeyPair(pair);
  const secrets = [stored.jwk.d, stored.seed].filter((secret) => secret !== undefined);
  const texts = [JSON.stringify(pair), inspect(pair, { depth: 9, showHidden: true })];
  for (const input of [
    { jwk: { ...stored.jwk, x: 'broken' } },
    { jwk: { ...stored.jwk, crv: 'P-521' } },
    { jwk: { ...stored.jwk, d: `${stored.jwk.d}A` } },
    { ...stored, seed: stored.jwk.d },
  ]) {
    try {
      parseEncryptionKeyPair(input);
    } catch (error) {
      texts.push(inspect(error, { depth: 9, showHidden: true }));
    }
  }
  for (const text of texts) for (const secret of secrets) expect(text).not.toContain(secret);
});
