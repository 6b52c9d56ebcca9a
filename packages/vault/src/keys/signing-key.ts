import { generateKeyPairSync, createPublicKey, type KeyObject } from 'node:crypto';
import { p256PrivateKey } from './encryption-key.ts';
import { importPublicJwk, keyId, parsePrivateJwk, parsePublicJwk, type PrivateJwk, type PublicJwk } from './jwk.ts';

/** The public half of a JOSE signing key (P-256, ES256) of somebody without a certificate: an external asker (S9). */
export interface SigningPublicKey {
  /** RFC 7638 thumbprint, base64url: how allow-lists name the key. */
  readonly kid: string;
  readonly jwk: PublicJwk;
  readonly keyObject: KeyObject;
}

/** A JOSE signing key pair. */
export interface SigningKeyPair {
  readonly kid: string;
  readonly publicKey: SigningPublicKey;
  readonly privateKey: KeyObject;
}

function publicKeyOf(jwk: PublicJwk): SigningPublicKey {
  return { kid: keyId(jwk), jwk, keyObject: importPublicJwk(jwk) };
}

/** Makes a fresh P-256 signing key pair. */
export function generateSigningKeyPair(): SigningKeyPair {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const publicKey = publicKeyOf(parsePublicJwk(createPublicKey(privateKey).export({ format: 'jwk' }), 'sig'));
  return { kid: publicKey.kid, publicKey, privateKey };
}

/**
 * Reads a public ES256 key.
 * @throws WaymarkError key-invalid
 */
export function parseSigningPublicKey(input: unknown): SigningPublicKey {
  return publicKeyOf(parsePublicJwk(input, 'sig'));
}

/**
 * Reads an ES256 key pair from a private JWK.
 * @throws WaymarkError key-invalid
 */
export function parseSigningKeyPair(input: unknown): SigningKeyPair {
  const { jwk, d } = parsePrivateJwk(input, 'sig');
  // `parsePrivateJwk` lets no other curve sign.
  const privateKey = p256PrivateKey(jwk as PublicJwk & { readonly kty: 'EC' }, d);
  const publicKey = publicKeyOf(jwk);
  return { kid: publicKey.kid, publicKey, privateKey };
}

/** The private JWK of a signing key pair. Secret. */
export function exportSigningKeyPair(pair: SigningKeyPair): PrivateJwk {
  const { d } = pair.privateKey.export({ format: 'jwk' });
  return { ...pair.publicKey.jwk, d: d ?? '' };
}
