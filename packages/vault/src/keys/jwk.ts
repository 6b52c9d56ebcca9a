import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';

/** The curves in use. An algorithm is one entry of the table below; nothing else enumerates them. */
export type Curve = 'P-256' | 'X25519';

/** A public key in the form of RFC 7517, reduced to the members that RFC 7638 hashes. */
export type PublicJwk =
  | { readonly crv: 'P-256'; readonly kty: 'EC'; readonly x: string; readonly y: string }
  | { readonly crv: 'X25519'; readonly kty: 'OKP'; readonly x: string };

/** A private key in the form of RFC 7517: secret, never printed. */
export type PrivateJwk = PublicJwk & { readonly d: string };

/** What a key is for; a key that names another use is refused. */
export type KeyUse = 'enc' | 'sig';

interface CurveEntry {
  readonly kty: 'EC' | 'OKP';
  readonly coordinates: readonly ('x' | 'y')[];
  readonly algorithms: Readonly<Record<KeyUse, readonly string[]>>;
}

const curves: Readonly<Record<Curve, CurveEntry>> = {
  'P-256': { kty: 'EC', coordinates: ['x', 'y'], algorithms: { enc: ['ECDH-ES', 'ECDH-ES+A256KW'], sig: ['ES256'] } },
  X25519: { kty: 'OKP', coordinates: ['x'], algorithms: { enc: ['ECDH-ES', 'ECDH-ES+A256KW'], sig: [] } },
};

const operations: Readonly<Record<KeyUse, readonly string[]>> = {
  enc: ['deriveKey', 'deriveBits'],
  sig: ['sign', 'verify'],
};

/** 2^255 − 19: a coordinate of X25519 at or above it names the same point twice (RFC 7748 section 5). */
const fieldPrime25519 = (1n << 255n) - 19n;

function refuse(reason: string): never {
  throw new WaymarkError('key-invalid', `The key is not usable: ${reason}.`);
}

/** Decodes exactly 32 bytes of canonical, unpadded base64url; null when it is anything else. */
function decode32(value: unknown): Buffer | null {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(value)) return null;
  const bytes = Buffer.from(value, 'base64url');
  return bytes.toString('base64url') === value ? bytes : null;
}

function checkUse(input: ReadonlyMap<string, unknown>, use: KeyUse, curve: CurveEntry): void {
  if (curve.algorithms[use].length === 0) refuse('its curve does not serve this purpose');
  const declaredUse = input.get('use');
  if (declaredUse !== undefined && declaredUse !== use) refuse('it names another use');
  const alg = input.get('alg');
  if (alg !== undefined && !(typeof alg === 'string' && curve.algorithms[use].includes(alg))) {
    refuse('it names another algorithm');
  }
  const ops: unknown = input.get('key_ops');
  if (ops === undefined) return;
  if (!Array.isArray(ops) || ops.length === 0) refuse('its key operations have no meaning');
  for (const operation of ops as unknown[]) {
    if (typeof operation !== 'string' || !operations[use].includes(operation)) refuse('it names other operations');
  }
}

interface ParsedJwk {
  readonly jwk: PublicJwk;
  readonly d: Buffer | null;
}

/**
 * Reads a JWK strictly: known type and curve, every coordinate 32 canonical bytes, no contradicting `use`, `alg` or
 * `key_ops`. A `kid` in the input is never believed; ours is computed (RFC 7638). Other members are ignored (RFC 7517 section 4).
 * Whether the point is on the curve is checked by `importPublicJwk`.
 * @throws WaymarkError key-invalid
 */
function parse(input: unknown, use: KeyUse): ParsedJwk {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) refuse('it is not a JSON object');
  const members = new Map<string, unknown>(Object.entries(input));
  const crv = members.get('crv');
  if (crv !== 'P-256' && crv !== 'X25519') refuse('its curve is not supported');
  const curve = curves[crv];
  if (members.get('kty') !== curve.kty) refuse('its type does not fit its curve');
  checkUse(members, use, curve);
  for (const coordinate of ['x', 'y'] as const) {
    const present = members.has(coordinate);
    if (present !== curve.coordinates.includes(coordinate)) refuse('it does not have the coordinates of its curve');
    if (present && decode32(members.get(coordinate)) === null) refuse('a coordinate is not 32 canonical bytes');
  }
  const d = members.has('d') ? decode32(members.get('d')) : null;
  if (members.has('d') && d === null) refuse('its private half is not 32 canonical bytes');
  const x = members.get('x') as string;
  if (crv === 'P-256') return { jwk: { crv, kty: 'EC', x, y: members.get('y') as string }, d };
  const little = BigInt(`0x${Buffer.from(x, 'base64url').reverse().toString('hex')}`);
  if (little >= fieldPrime25519) refuse('its coordinate is not the canonical one');
  return { jwk: { crv, kty: 'OKP', x }, d };
}

/**
 * Reads a public JWK; one that carries a private half is refused, since whoever sent it has lost it.
 * @throws WaymarkError key-invalid
 */
export function parsePublicJwk(input: unknown, use: KeyUse): PublicJwk {
  const { jwk, d } = parse(input, use);
  if (d !== null) refuse('it carries a private half');
  return jwk;
}

/**
 * Reads a private JWK. The caller checks that both halves belong together.
 * @throws WaymarkError key-invalid
 */
export function parsePrivateJwk(input: unknown, use: KeyUse): { readonly jwk: PublicJwk; readonly d: Uint8Array } {
  const { jwk, d } = parse(input, use);
  if (d === null) refuse('its private half is missing');
  return { jwk, d };
}

/**
 * RFC 7638 thumbprint of a public JWK, SHA-256: 32 bytes.
 */
export function jwkThumbprint(jwk: PublicJwk): Uint8Array {
  const canonical =
    jwk.kty === 'EC'
      ? `{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}","y":"${jwk.y}"}`
      : `{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}"}`;
  return createHash('sha256').update(canonical, 'utf8').digest();
}

/** Key id: the RFC 7638 thumbprint as unpadded base64url, 43 characters. */
export function keyId(jwk: PublicJwk): string {
  return Buffer.from(jwkThumbprint(jwk)).toString('base64url');
}

/**
 * Imports a parsed public JWK; a point that is not on its curve is refused.
 * @throws WaymarkError key-invalid
 */
export function importPublicJwk(jwk: PublicJwk): KeyObject {
  try {
    return createPublicKey({ key: { ...jwk } satisfies JsonWebKey, format: 'jwk' });
  } catch {
    refuse('its point is not on its curve');
  }
}
