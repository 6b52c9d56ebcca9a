import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { isWaymarkError } from '@waymark/protocol';
import { agree, parseEncryptionKeyPair, parseEncryptionPublicKey } from '../../src/keys/encryption-key.ts';
import { Tally, describeVectors, hex, type WycheproofCase, type WycheproofFile } from '../support/vectors.ts';

interface JwkCase extends WycheproofCase {
  readonly public: unknown;
  readonly private: { readonly d: string };
  readonly shared: string;
}
interface RawCase extends WycheproofCase {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}
type File<Case> = WycheproofFile<{ readonly tests: readonly Case[] }>;

const refusal = (run: () => Uint8Array): Uint8Array | null => {
  try {
    return run();
  } catch (error) {
    if (isWaymarkError(error, 'key-invalid')) return null;
    throw error;
  }
};
const hexOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

/** An X25519 public key whose result is all zeros, or that has a second spelling, is refused by rule. */
const refusedByRule = (flags: readonly string[]): boolean =>
  flags.includes('ZeroSharedSecret') || flags.includes('NonCanonicalPublic');

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

describeVectors('Wycheproof x25519_jwk', 'wycheproof/x25519_jwk_test.json', (data) => {
  test('every vector agrees or is refused as it must be', () => {
    const file = data as File<JwkCase>;
    const tally = new Tally('wycheproof x25519_jwk');
    for (const { tests } of file.testGroups) {
      for (const vector of tests) {
        const pair = parseEncryptionKeyPair({ jwk: vector.private });
        const shared = refusal(() => agree(pair.privateKey, parseEncryptionPublicKey(vector.public).keyObject));
        const refused = vector.result === 'invalid' || refusedByRule(vector.flags);
        expect([vector.tcId, hexOf(shared)]).toEqual([vector.tcId, refused ? null : vector.shared]);
        tally.pass(vector.result);
      }
    }
    tally.close(file.numberOfTests);
  });
});

describeVectors('Wycheproof x25519', 'wycheproof/x25519_test.json', (data) => {
  test('every vector agrees or is refused as it must be', () => {
    const file = data as File<RawCase>;
    const tally = new Tally('wycheproof x25519');
    for (const { tests } of file.testGroups) {
      for (const vector of tests) {
        const privateKey = createPrivateKey({
          key: Buffer.concat([hex('302e020100300506032b656e04220420'), hex(vector.private)]),
          format: 'der',
          type: 'pkcs8',
        });
        const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
        const pair = parseEncryptionKeyPair({
          jwk: { kty: 'OKP', crv: 'X25519', x, d: base64url(hex(vector.private)) },
        });
        const peer = { kty: 'OKP', crv: 'X25519', x: base64url(hex(vector.public)) };
        const shared = refusal(() => agree(pair.privateKey, parseEncryptionPublicKey(peer).keyObject));
        const refused = vector.result === 'invalid' || refusedByRule(vector.flags) || !canonical(hex(vector.public));
        expect([vector.tcId, hexOf(shared)]).toEqual([vector.tcId, refused ? null : vector.shared]);
        tally.pass(vector.result);
      }
    }
    tally.close(file.numberOfTests);
  });
});

function canonical(x: Uint8Array): boolean {
  return BigInt(`0x${Buffer.from(x).reverse().toString('hex')}`) < (1n << 255n) - 19n;
}

describeVectors('Wycheproof ecdh_secp256r1_webcrypto', 'wycheproof/ecdh_secp256r1_webcrypto_test.json', (data) => {
  test('every vector agrees or is refused as it must be', () => {
    const file = data as File<JwkCase>;
    const tally = new Tally('wycheproof ecdh_secp256r1_webcrypto');
    for (const { tests } of file.testGroups) {
      for (const vector of tests) {
        const shared = refusal(() => {
          const pair = parseEncryptionKeyPair({ jwk: vector.private });
          return agree(pair.privateKey, parseEncryptionPublicKey(vector.public).keyObject);
        });
        expect([vector.tcId, hexOf(shared)]).toEqual([vector.tcId, vector.result === 'invalid' ? null : vector.shared]);
        tally.pass(vector.result);
      }
    }
    tally.close(file.numberOfTests);
  });
});

describeVectors('Wycheproof ecdh_secp256r1_ecpoint', 'wycheproof/ecdh_secp256r1_ecpoint_test.json', (data) => {
  test('every vector agrees or is refused as it must be', () => {
    const file = data as File<RawCase>;
    const tally = new Tally('wycheproof ecdh_secp256r1_ecpoint');
    for (const { tests } of file.testGroups) {
      for (const vector of tests) {
        const point = hex(vector.public);
        // A JWK has both coordinates: a compressed point has no spelling in it, which "acceptable" allows.
        const shared = refusal(() => {
          const jwk = {
            kty: 'EC',
            crv: 'P-256',
            x: base64url(point.subarray(1, 33)),
            y: base64url(point.subarray(33)),
          };
          return agree(p256(vector.private), parseEncryptionPublicKey(jwk).keyObject);
        });
        expect([vector.tcId, hexOf(shared)]).toEqual([vector.tcId, vector.result === 'valid' ? vector.shared : null]);
        tally.pass(vector.result);
      }
    }
    tally.close(file.numberOfTests);
  });
});

function p256(privateHex: string): ReturnType<typeof createPrivateKey> {
  const d = Buffer.from(privateHex.padStart(64, '0').slice(-64), 'hex');
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
    d: base64url(d),
  };
  return parseEncryptionKeyPair({ jwk }).privateKey;
}
