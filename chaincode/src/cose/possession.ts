import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { Refusal } from '../errors.ts';
import type { PublicJwk } from '../participants/model.ts';
import { verifyP256 } from './sign1.ts';

const prime = 2n ** 255n - 19n;
const ed25519SpkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * X25519 coordinates of low order: everybody shares zeros with them (RFC 7748 section 6.1), and a proof for them can be made up.
 */
const lowOrder = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/**
 * Imports an encryption key.
 *
 * @throws `key-invalid`: off its curve, not canonical, of low order, or the caller's signing key
 */
export function importEncryptionKey(jwk: PublicJwk, signingKey: Uint8Array): KeyObject {
  if (jwk.kty === 'OKP') {
    const coordinate = Buffer.from(jwk.x, 'base64url');
    if (littleEndian(coordinate) >= prime) throw new Refusal('key-invalid', { reason: 'not-canonical' });
    if (lowOrder.has(coordinate.toString('hex'))) throw new Refusal('key-invalid', { reason: 'low-order' });
  }
  const key = importJwk(jwk);
  if (key.export({ format: 'der', type: 'spki' }).equals(signingKey)) {
    throw new Refusal('key-invalid', { reason: 'signing-key' });
  }
  return key;
}

function importJwk(jwk: PublicJwk): KeyObject {
  try {
    return createPublicKey({ format: 'jwk', key: { ...jwk } });
  } catch {
    throw new Refusal('key-invalid', { reason: 'not-on-curve' });
  }
}

/**
 * Whether whoever made `proof` over `message` holds the private half (docs/formats.md, "Encryption key statement"). P-256: an ECDSA
 * signature by the key itself. X25519 cannot sign: the proof is an Ed25519 point, which must map to the key's coordinate
 * (RFC 7748 section 4.1), and its signature.
 */
export function possessionProven(jwk: PublicJwk, key: KeyObject, message: Uint8Array, proof: Uint8Array): boolean {
  if (jwk.kty === 'EC') return verifyP256(key, message, proof);
  if (proof.length !== 96) return false;
  const point = proof.subarray(0, 32);
  if (montgomeryOf(point) !== littleEndian(Buffer.from(jwk.x, 'base64url'))) return false;
  const edwards = createPublicKey({ key: Buffer.concat([ed25519SpkiPrefix, point]), format: 'der', type: 'spki' });
  return verify(null, message, edwards, proof.subarray(32));
}

/** u = (1 + y) / (1 − y) modulo 2^255 − 19, or undefined when y is not canonical or has no image. */
function montgomeryOf(point: Uint8Array): bigint | undefined {
  const bytes = Buffer.from(point);
  bytes[31] = (bytes[31] ?? 0) & 0x7f; // the sign of x
  const y = littleEndian(bytes);
  if (y >= prime || y === 1n) return undefined;
  return ((1n + y) * power(1n + prime - y, prime - 2n)) % prime;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base % prime, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % prime) {
    if ((rest & 1n) === 1n) result = (result * square) % prime;
  }
  return result;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
