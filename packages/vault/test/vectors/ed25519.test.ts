import type { EncryptionPublicKey } from '../../src/keys/encryption-key.ts';
import { possessionProven } from '../../src/keys/possession.ts';
import { Tally, describeVectors, hex, type WycheproofCase, type WycheproofFile } from '../support/vectors.ts';

interface Group {
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly (WycheproofCase & { readonly msg: string; readonly sig: string })[];
}

const prime = 2n ** 255n - 19n;
const modulo = (value: bigint): bigint => ((value % prime) + prime) % prime;

/** Inverse by the extended Euclidean algorithm, another way than the code under test takes. */
function inverse(value: bigint): bigint {
  let [r0, r1, t0, t1] = [prime, modulo(value), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  return modulo(t0);
}

/** The X25519 key that belongs to an Ed25519 point (RFC 7748 section 4.1). */
function x25519Of(point: Uint8Array): EncryptionPublicKey {
  const littleEndian = Buffer.from(point).reverse();
  const y = BigInt(`0x${littleEndian.toString('hex')}`) & (2n ** 255n - 1n);
  const u = modulo((1n + y) * inverse(1n - y));
  const x = Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse().toString('base64url');
  return { curve: 'X25519', jwk: { kty: 'OKP', crv: 'X25519', x } } as EncryptionPublicKey;
}

describeVectors('Wycheproof ed25519', 'wycheproof/ed25519_test.json', (data) => {
  test('every signature proves possession of the X25519 key of its point, or is refused, as it must be', () => {
    const file = data as WycheproofFile<Group>;
    const tally = new Tally('wycheproof ed25519');
    for (const { publicKey, tests } of file.testGroups) {
      const point = hex(publicKey.pk);
      const key = x25519Of(point);
      for (const { tcId, msg, sig, result } of tests) {
        const proven = possessionProven(key, hex(msg), Buffer.concat([point, hex(sig)]));
        expect([tcId, proven]).toEqual([tcId, result === 'valid']);
        tally.pass(result);
      }
    }
    tally.close(file.numberOfTests);
  });
});
