import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';
import {
  importPublicJwk,
  keyId,
  parsePrivateJwk,
  parsePublicJwk,
  type Curve,
  type PrivateJwk,
  type PublicJwk,
} from './jwk.ts';

/** A public encryption key: of an outlet, a firm, a regulator, an asker. */
export interface EncryptionPublicKey {
  /** RFC 7638 thumbprint, base64url. */
  readonly kid: string;
  readonly curve: Curve;
  readonly jwk: PublicJwk;
  readonly keyObject: KeyObject;
}

/**
 * An encryption key pair. The private half is inside a `KeyObject`, which prints as nothing; `exportPrivateJwk` is the one
 * way out, for the key store.
 */
export interface EncryptionKeyPair {
  readonly kid: string;
  readonly curve: Curve;
  readonly publicKey: EncryptionPublicKey;
  readonly privateKey: KeyObject;
  /** Signs the proof of possession; null when the key came without what that needs. */
  readonly possessionKey: KeyObject | null;
}

/** How a key pair is kept. Secret; only the key store and the owner's backup hold it. */
export interface StoredEncryptionKey {
  readonly jwk: PrivateJwk;
  /** X25519 only: the Ed25519 seed the scalar was made from, base64url; it signs the proof of possession. */
  readonly seed?: string;
}

/** DER prefixes of RFC 8410 PKCS#8 keys around 32 raw bytes. */
const pkcs8Prefix = {
  X25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
  Ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
} as const;

function rawPrivateKey(algorithm: keyof typeof pkcs8Prefix, bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix[algorithm], bytes]), format: 'der', type: 'pkcs8' });
}

/** RFC 8032 section 5.1.5: the scalar an Ed25519 seed stands for, clamped as RFC 7748 section 5 does. */
function scalarOfSeed(seed: Uint8Array): Buffer {
  const scalar = createHash('sha512').update(seed).digest().subarray(0, 32);
  scalar.writeUInt8(scalar.readUInt8(0) & 0xf8, 0);
  scalar.writeUInt8((scalar.readUInt8(31) & 0x7f) | 0x40, 31);
  return scalar;
}

function publicJwkOf(key: KeyObject): PublicJwk {
  return parsePublicJwk(createPublicKey(key).export({ format: 'jwk' }), 'enc');
}

function publicKeyOf(jwk: PublicJwk): EncryptionPublicKey {
  return { kid: keyId(jwk), curve: jwk.crv, jwk, keyObject: importPublicJwk(jwk) };
}

function pairOf(privateKey: KeyObject, jwk: PublicJwk, possessionKey: KeyObject | null): EncryptionKeyPair {
  const publicKey = publicKeyOf(jwk);
  return { kid: publicKey.kid, curve: publicKey.curve, publicKey, privateKey, possessionKey };
}

/**
 * Makes a fresh encryption key pair. An X25519 scalar is made from an Ed25519 seed, so that its owner can prove
 * possession by a signature (see `possession.ts`).
 */
export function generateEncryptionKeyPair(curve: Curve): EncryptionKeyPair {
  if (curve === 'X25519') {
    const seed = randomBytes(32);
    const privateKey = rawPrivateKey('X25519', scalarOfSeed(seed));
    return pairOf(privateKey, publicJwkOf(privateKey), rawPrivateKey('Ed25519', seed));
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return pairOf(privateKey, publicJwkOf(privateKey), privateKey);
}

/**
 * Reads a public encryption key.
 * @throws WaymarkError key-invalid: other form or use, point off the curve, X25519 point of low order
 */
export function parseEncryptionPublicKey(input: unknown): EncryptionPublicKey {
  const key = publicKeyOf(parsePublicJwk(input, 'enc'));
  if (key.curve === 'X25519') agree(lowOrderProbe(), key.keyObject);
  return key;
}

/**
 * Reads an encryption key pair; halves that do not belong together are refused.
 * @throws WaymarkError key-invalid
 */
export function parseEncryptionKeyPair(stored: {
  readonly jwk: unknown;
  readonly seed?: string | undefined;
}): EncryptionKeyPair {
  const { jwk, d } = parsePrivateJwk(stored.jwk, 'enc');
  if (jwk.crv === 'P-256') {
    const privateKey = p256PrivateKey(jwk, d);
    return pairOf(privateKey, jwk, privateKey);
  }
  const privateKey = rawPrivateKey('X25519', d);
  if (publicJwkOf(privateKey).x !== jwk.x) halvesDiffer();
  const seed = stored.seed === undefined ? null : Buffer.from(stored.seed, 'base64url');
  if (seed === null) return pairOf(privateKey, jwk, null);
  if (seed.length !== 32 || publicJwkOf(rawPrivateKey('X25519', scalarOfSeed(seed))).x !== jwk.x) halvesDiffer();
  return pairOf(privateKey, jwk, rawPrivateKey('Ed25519', seed));
}

/** The form a key store keeps. The result is secret. */
export function exportEncryptionKeyPair(pair: EncryptionKeyPair): StoredEncryptionKey {
  const { d } = pair.privateKey.export({ format: 'jwk' });
  if (d === undefined) throw new WaymarkError('internal', 'A private key has no private half.');
  const jwk: PrivateJwk = { ...pair.publicKey.jwk, d };
  if (pair.curve !== 'X25519' || pair.possessionKey === null) return { jwk };
  const seed = pair.possessionKey.export({ format: 'jwk' }).d;
  return seed === undefined ? { jwk } : { jwk, seed };
}

/** A P-256 private key whose scalar is in range and belongs to the public point. */
export function p256PrivateKey(jwk: PublicJwk & { readonly kty: 'EC' }, d: Uint8Array): KeyObject {
  const ecdh = createECDH('prime256v1');
  try {
    ecdh.setPrivateKey(d);
  } catch {
    throw new WaymarkError('key-invalid', 'The key is not usable: its private half is out of range.');
  }
  const point = ecdh.getPublicKey();
  const claimed = Buffer.concat([Buffer.of(4), Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')]);
  if (!point.equals(claimed)) halvesDiffer();
  return createPrivateKey({ key: { ...jwk, d: Buffer.from(d).toString('base64url') }, format: 'jwk' });
}

/**
 * Diffie-Hellman of RFC 7748 or SP 800-56A: 32 bytes. An all-zero X25519 result is refused (RFC 7748 section 6.1).
 * @throws WaymarkError key-invalid
 */
export function agree(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey, publicKey });
  } catch {
    throw new WaymarkError('key-invalid', 'The keys do not agree on a secret: other curve, or a point of low order.');
  }
  if (privateKey.asymmetricKeyType === 'x25519' && shared.every((byte) => byte === 0)) {
    throw new WaymarkError('key-invalid', 'The keys do not agree on a secret: a point of low order.');
  }
  return shared;
}

let probe: KeyObject | undefined;
/** Any private key finds a low-order point: the cofactor is cleared by every clamped scalar. */
function lowOrderProbe(): KeyObject {
  probe ??= generateKeyPairSync('x25519').privateKey;
  return probe;
}

function halvesDiffer(): never {
  throw new WaymarkError('key-invalid', 'The key is not usable: its halves do not belong together.');
}
