import {
  createCipheriv,
  createDecipheriv,
  diffieHellman,
  hkdfSync,
  type CipherGCMTypes,
  type KeyObject,
  verify,
} from 'node:crypto';
import { WaymarkError } from '../errors.ts';

/** A signature algorithm: one table entry, nothing else enumerates algorithms. */
interface SignatureAlgorithm {
  readonly id: number;
  readonly verify: (key: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean;
}

/** A content encryption algorithm. */
interface ContentAlgorithm {
  readonly id: number;
  /** What node:crypto calls it. */
  readonly name: CipherGCMTypes;
  readonly keyBits: number;
  readonly ivBytes: number;
  readonly tagBytes: number;
}

/** Order of P-256; a signature with s above its half has a twin with the same meaning, and is refused (as Fabric does). */
const p256HalfOrder = Buffer.from('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8', 'hex');
const p256Order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const coordinateBytes = 32;

/** Whether an r‖s signature over P-256 has its s in the lower half. */
export function isLowS(signature: Uint8Array): boolean {
  return (
    signature.length === coordinateBytes * 2 && Buffer.compare(signature.subarray(coordinateBytes), p256HalfOrder) <= 0
  );
}

/**
 * The r‖s signature with the same meaning whose s is in the lower half.
 * @throws WaymarkError internal: not a P-256 signature of 64 bytes, r‖s
 */
export function toLowS(signature: Uint8Array): Uint8Array {
  if (isLowS(signature)) return signature;
  if (signature.length !== coordinateBytes * 2)
    throw new WaymarkError('internal', 'A signer gave something other than 64 bytes, r and s.');
  const s = BigInt(`0x${Buffer.from(signature.subarray(coordinateBytes)).toString('hex')}`);
  const low = (p256Order - s).toString(16).padStart(coordinateBytes * 2, '0');
  return Buffer.concat([signature.subarray(0, coordinateBytes), Buffer.from(low, 'hex')]);
}

/** ECDSA over P-256 with SHA-256, r‖s (RFC 9053 section 2.1), low-S only. */
export const es256: SignatureAlgorithm = {
  id: -7,
  verify: (key, message, signature) =>
    key.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    isLowS(signature) &&
    verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature),
};

/** A key agreement algorithm. */
interface KeyAgreementAlgorithm {
  readonly id: number;
  /** Bits for `keyBits` of key, bound to `info`. */
  readonly deriveKey: (
    pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
    info: Uint8Array,
    keyBits: number,
  ) => Uint8Array;
}

/** ECDH-ES over P-256 with HKDF over SHA-256 without salt, direct (RFC 9053 section 6.3.1). */
export const ecdhEsHkdf256: KeyAgreementAlgorithm = {
  id: -25,
  deriveKey: (pair, info, keyBits) => hkdfSha256(ecdhP256(pair), new Uint8Array(0), info, keyBits / 8),
};

/**
 * Shared secret of two P-256 keys: the x coordinate, 32 bytes (RFC 9053 section 6.3). node:crypto refuses points off the curve.
 * @throws WaymarkError key-invalid
 */
export function ecdhP256(pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }): Uint8Array {
  const onCurve = [pair.privateKey, pair.publicKey].every(
    (key) => key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
  );
  if (!onCurve) throw new WaymarkError('key-invalid', 'A key agreement needs two P-256 keys.');
  return diffieHellman(pair);
}

/** HKDF over SHA-256 (RFC 5869), both steps. */
export function hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, sizeBytes: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, sizeBytes));
}

/** AES-GCM with a 256-bit key and a 128-bit tag (RFC 9053 section 4.1). */
export const a256gcm: ContentAlgorithm = { id: 3, name: 'aes-256-gcm', keyBits: 256, ivBytes: 12, tagBytes: 16 };

/**
 * Encrypts by A256GCM; the tag follows the ciphertext, as COSE wants it.
 * @throws WaymarkError key-invalid: not 256 bits; internal: an IV that is not of 96 bits
 */
export function encryptContent(key: KeyObject, iv: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  if (key.symmetricKeySize !== a256gcm.keyBits / 8)
    throw new WaymarkError('key-invalid', 'The content key does not have 256 bits.');
  if (iv.length !== a256gcm.ivBytes) throw new WaymarkError('internal', 'The IV does not have 96 bits.');
  const cipher = createCipheriv(a256gcm.name, key, iv, { authTagLength: a256gcm.tagBytes });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Opens what `encryptContent` made.
 * @throws WaymarkError decryption-failed
 */
export function decryptContent(key: KeyObject, iv: Uint8Array, ciphertext: Uint8Array, aad: Uint8Array): Uint8Array {
  const failed = (cause?: unknown): WaymarkError =>
    new WaymarkError('decryption-failed', 'The ciphertext was not made under this key and context.', { cause });
  if (ciphertext.length < a256gcm.tagBytes || iv.length !== a256gcm.ivBytes) throw failed();
  const split = ciphertext.length - a256gcm.tagBytes;
  try {
    const decipher = createDecipheriv(a256gcm.name, key, iv, { authTagLength: a256gcm.tagBytes });
    decipher.setAAD(aad);
    decipher.setAuthTag(ciphertext.subarray(split));
    return Buffer.concat([decipher.update(ciphertext.subarray(0, split)), decipher.final()]);
  } catch (cause) {
    throw failed(cause);
  }
}
