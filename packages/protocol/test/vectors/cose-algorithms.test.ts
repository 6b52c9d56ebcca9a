import { createPublicKey, createSecretKey, createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import {
  decryptContent,
  ecdhP256,
  encryptContent,
  es256,
  fromCoseKey,
  hkdfSha256,
  isLowS,
  isWaymarkError,
  toLowS,
} from '../../src/index.ts';
import { hex } from '../support/refusal.ts';
import { describeVectors, readVectors, Tally, type WycheproofCase, type WycheproofFile } from '../support/vectors.ts';

const none = new Uint8Array(0);

interface SignatureGroup {
  readonly publicKeyDer: string;
  readonly tests: readonly (WycheproofCase & { readonly msg: string; readonly sig: string })[];
}

describeVectors(
  'Wycheproof ecdsa_secp256r1_sha256_p1363',
  'wycheproof/ecdsa_secp256r1_sha256_p1363_test.json',
  (path) => {
    test('ES256 takes every valid signature with a low s, and nothing else', () => {
      const file = readVectors(path) as WycheproofFile<SignatureGroup>;
      const tally = new Tally('Wycheproof ecdsa_secp256r1_sha256_p1363');
      for (const { publicKeyDer, tests } of file.testGroups) {
        const key = createPublicKey({ key: Buffer.from(hex(publicKeyDer)), format: 'der', type: 'spki' });
        for (const { tcId, msg, sig, result } of tests) {
          const signature = hex(sig);
          const low = isLowS(signature);
          const taken = result === 'valid' && low;
          expect([tcId, es256.verify(key, hex(msg), signature)]).toEqual([tcId, taken]);
          // The low twin of a valid high signature means the same, so it is the rule that refuses, not an error.
          if (result === 'valid') expect([tcId, es256.verify(key, hex(msg), toLowS(signature))]).toEqual([tcId, true]);
          tally.count(
            taken ? 'valid taken' : result === 'valid' ? 'valid refused on purpose: high s' : 'invalid refused',
          );
        }
      }
      expect(tally.of('valid refused on purpose: high s')).toBeGreaterThan(0);
      tally.close(file.numberOfTests);
    });
  },
);

interface AeadGroup {
  readonly ivSize: number;
  readonly keySize: number;
  readonly tagSize: number;
  readonly tests: readonly (WycheproofCase & Readonly<Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>>)[];
}

describeVectors('Wycheproof aes_gcm', 'wycheproof/aes_gcm_test.json', (path) => {
  test('A256GCM seals and opens every valid vector of its sizes, and refuses all others', () => {
    const file = readVectors(path) as WycheproofFile<AeadGroup>;
    const tally = new Tally('Wycheproof aes_gcm');
    for (const { ivSize, keySize, tagSize, tests } of file.testGroups) {
      for (const vector of tests) {
        const key = createSecretKey(Buffer.from(hex(vector.key)));
        const [iv, aad, plaintext] = [hex(vector.iv), hex(vector.aad), hex(vector.msg)];
        const sealed = Buffer.concat([hex(vector.ct), hex(vector.tag)]);
        const opened = codeAnd(() => decryptContent(key, iv, sealed, aad));
        if (keySize !== 256 || ivSize !== 96 || tagSize !== 128) {
          expect([vector.tcId, opened]).toEqual([vector.tcId, 'decryption-failed']);
          expect([vector.tcId, codeAnd(() => encryptContent(key, iv, plaintext, aad))]).not.toEqual([vector.tcId, vector.ct + vector.tag]); // prettier-ignore
          tally.count('refused: key, IV or tag of another size than A256GCM has');
          continue;
        }
        expect([vector.tcId, opened]).toEqual([
          vector.tcId,
          vector.result === 'valid' ? vector.msg : 'decryption-failed',
        ]);
        if (vector.result === 'valid')
          expect([vector.tcId, codeAnd(() => encryptContent(key, iv, plaintext, aad))]).toEqual([vector.tcId, vector.ct + vector.tag]); // prettier-ignore
        tally.count(vector.result === 'valid' ? 'valid sealed and opened' : 'invalid refused');
      }
    }
    expect(tally.of('valid sealed and opened')).toBeGreaterThan(30);
    tally.close(file.numberOfTests);
  });
});

/** Hex of what a call gives, or the code it is refused with. */
function codeAnd(run: () => Uint8Array): string {
  try {
    return Buffer.from(run()).toString('hex');
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
}

interface AgreementGroup {
  readonly tests: readonly (WycheproofCase & {
    readonly public: JsonWebKey;
    readonly private: JsonWebKey;
    readonly shared: string;
  })[];
}

const base64url = (text: string | undefined): Uint8Array => Buffer.from(text ?? '', 'base64url');

/** The public key as it would come in a message: as COSE_Key. */
function received({ kty, crv, x, y }: JsonWebKey): KeyObject {
  const curve = crv === 'P-256' ? 1 : 0;
  const type = kty === 'EC' ? 2 : 0;
  return fromCoseKey(new Map<number, number | Uint8Array>([[1, type], [-1, curve], [-2, base64url(x)], [-3, base64url(y)]])); // prettier-ignore
}

describeVectors('Wycheproof ecdh_secp256r1_webcrypto', 'wycheproof/ecdh_secp256r1_webcrypto_test.json', (path) => {
  test('the key agreement of COSE_Encrypt gives every shared secret, and takes no point off the curve', () => {
    const file = readVectors(path) as WycheproofFile<AgreementGroup>;
    const tally = new Tally('Wycheproof ecdh_secp256r1_webcrypto');
    for (const vector of file.testGroups.flatMap(({ tests }) => tests)) {
      const privateKey = createPrivateKey({ format: 'jwk', key: vector.private });
      const shared = codeAnd(() => ecdhP256({ privateKey, publicKey: received(vector.public) }));
      expect([vector.tcId, shared]).toEqual([vector.tcId, vector.result === 'valid' ? vector.shared : 'input-invalid']);
      tally.count(vector.result === 'valid' ? 'valid agreed' : 'invalid refused');
    }
    expect(tally.of('valid agreed')).toBeGreaterThan(100);
    tally.close(file.numberOfTests);
  });
});

interface DerivationGroup {
  readonly tests: readonly (WycheproofCase &
    Readonly<Record<'ikm' | 'salt' | 'info' | 'okm', string>> & { readonly size: number })[];
}

describeVectors('Wycheproof hkdf_sha256', 'wycheproof/hkdf_sha256_test.json', (path) => {
  test('the key derivation of COSE_Encrypt gives every key, and none of a size that HKDF does not have', () => {
    const file = readVectors(path) as WycheproofFile<DerivationGroup>;
    const tally = new Tally('Wycheproof hkdf_sha256');
    for (const { tcId, ikm, salt, info, size, okm, result } of file.testGroups.flatMap(({ tests }) => tests)) {
      const derive = (): string => Buffer.from(hkdfSha256(hex(ikm), hex(salt), hex(info), size)).toString('hex');
      if (result === 'valid') expect([tcId, derive()]).toEqual([tcId, okm]);
      else expect(derive).toThrow();
      tally.count(result === 'valid' ? 'valid derived' : 'invalid refused');
    }
    expect(hkdfSha256(none, none, none, 32).length).toBe(32);
    tally.close(file.numberOfTests);
  });
});
