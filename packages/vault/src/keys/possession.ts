import { createPublicKey, sign, verify } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';
import type { EncryptionKeyPair, EncryptionPublicKey } from './encryption-key.ts';

/**
 * Proof that whoever publishes an encryption key holds its private half, checkable by everybody who reads the register.
 * P-256: an ECDSA signature (r‖s) by the key itself, made for nothing else. X25519 cannot sign, so its scalar is the one an
 * Ed25519 seed stands for (RFC 8032): the proof is the Ed25519 point and its signature, and the point must map to the published
 * coordinate by the birational map of RFC 7748 section 4.1.
 */

const prime = (1n << 255n) - 19n;
const ed25519SpkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % prime;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}

/** u = (1 + y) / (1 − y) mod 2^255 − 19; null for a y that is not canonical or has no image. Public values only. */
function montgomeryOfEdwards(point: Uint8Array): Buffer | null {
  const little = Buffer.from(point).reverse();
  little.writeUInt8(little.readUInt8(0) & 0x7f, 0);
  const y = BigInt(`0x${little.toString('hex')}`);
  if (y >= prime || y === 1n) return null;
  const u = ((1n + y) * power(1n + prime - y, prime - 2n)) % prime;
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

/**
 * Signs `statement` with what only the holder of the pair has.
 * @throws WaymarkError unsupported: an X25519 key that came without its seed cannot sign
 */
export function provePossession(pair: EncryptionKeyPair, statement: Uint8Array): Uint8Array {
  if (pair.possessionKey === null) {
    throw new WaymarkError(
      'unsupported',
      'This X25519 key was made elsewhere, without the seed that proves possession.',
    );
  }
  if (pair.curve === 'P-256') return sign('sha256', statement, { key: pair.possessionKey, dsaEncoding: 'ieee-p1363' });
  const point = createPublicKey(pair.possessionKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return Buffer.concat([point, sign(null, statement, pair.possessionKey)]);
}

/** Whether `proof` was made over `statement` by the holder of `key`. */
export function possessionProven(key: EncryptionPublicKey, statement: Uint8Array, proof: Uint8Array): boolean {
  if (key.curve === 'P-256') {
    if (proof.length !== 64) return false;
    return verify('sha256', statement, { key: key.keyObject, dsaEncoding: 'ieee-p1363' }, proof);
  }
  if (proof.length !== 96) return false;
  const point = proof.subarray(0, 32);
  const u = montgomeryOfEdwards(point);
  if (u?.equals(Buffer.from(key.jwk.x, 'base64url')) !== true) return false;
  const publicKey = createPublicKey({ key: Buffer.concat([ed25519SpkiPrefix, point]), format: 'der', type: 'spki' });
  return verify(null, statement, publicKey, proof.subarray(32));
}
