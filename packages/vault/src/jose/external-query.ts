import { WaymarkError, parseJsonStrict, type BusinessId } from '@waymark/protocol';
import { parseEncryptionPublicKey, type EncryptionPublicKey } from '../keys/encryption-key.ts';
import { parseSigningPublicKey, type SigningKeyPair } from '../keys/signing-key.ts';
import { readJwsHeader, signCompact, verifyCompact } from './compact-jws.ts';

const type = 'waymark-external-query+jwt';
const maxBytes = 16 * 1024;
/** How long an external query may travel. */
const defaultMaxAgeMs = 5 * 60_000;
/** How far the clocks of asker and firm may differ. */
const clockSkewMs = 60_000;

/** What somebody outside the consortium asks (S9; docs/formats.md, "External query"). */
export interface ExternalQuery {
  /** Exactly one of `recordOid` (lower-case hex) and `businessId`. */
  readonly recordOid?: string;
  readonly businessId?: BusinessId;
  readonly channel: string;
  readonly msp: string;
  /** 16 random bytes or more, base64url; the answer carries it, a service refuses it a second time. */
  readonly nonce: string;
  readonly issuedAtMs: number;
  /** The answer is encrypted for this key. */
  readonly encryptionKey: EncryptionPublicKey;
}

/** A query whose signature is good. Whether its signer may ask is for the outlet's allow-list to say. */
export interface VerifiedExternalQuery extends ExternalQuery {
  /** RFC 7638 thumbprint of the asker's signing key, base64url. */
  readonly askerKid: string;
}

/** Signs a query with the asker's own key: compact JWS, ES256. */
export async function signExternalQuery(query: ExternalQuery, signer: SigningKeyPair): Promise<string> {
  const claims = {
    ...(query.recordOid === undefined ? {} : { recordOid: query.recordOid }),
    ...(query.businessId === undefined ? {} : { businessId: query.businessId }),
    channel: query.channel,
    msp: query.msp,
    nonce: query.nonce,
    iat: Math.floor(query.issuedAtMs / 1_000),
    encryptionKey: query.encryptionKey.jwk,
  };
  return await signCompact(Buffer.from(JSON.stringify(claims), 'utf8'), signer, {
    typ: type,
    jwk: signer.publicKey.jwk,
  });
}

/**
 * Verifies an external query: form, signature by the key it names, addressee, freshness.
 * @param expected the channel and firm asked, the time now, and how old a query may be (5 minutes unless told otherwise)
 * @throws WaymarkError input-invalid, signature-invalid, key-invalid, recipient-mismatch, message-stale, limit-exceeded
 */
export async function verifyExternalQuery(
  jws: string,
  expected: { readonly channel: string; readonly msp: string; readonly nowMs: number; readonly maxAgeMs?: number },
): Promise<VerifiedExternalQuery> {
  const signer = parseSigningPublicKey(readJwsHeader(jws, maxBytes)['jwk']);
  const payload = await verifyCompact(jws, signer, { typ: type, embedsKey: true }, maxBytes);
  const query = readClaims(payload);
  if (query.channel !== expected.channel || query.msp !== expected.msp) {
    throw new WaymarkError('recipient-mismatch', 'The query was made for another channel or organisation.');
  }
  const { maxAgeMs = defaultMaxAgeMs } = expected;
  const ageMs = expected.nowMs - query.issuedAtMs;
  if (ageMs > maxAgeMs || ageMs < -clockSkewMs) {
    throw new WaymarkError('message-stale', 'The query was signed too long ago, or in the future.', {
      details: { ageMs, maxAgeMs },
    });
  }
  return { ...query, askerKid: signer.kid };
}

function malformed(what: string): WaymarkError {
  return new WaymarkError('input-invalid', `The query does not have the required form: ${what}.`);
}

function readClaims(payload: Uint8Array): ExternalQuery {
  const claims = jsonObject(payload);
  const known = new Set(['recordOid', 'businessId', 'channel', 'msp', 'nonce', 'iat', 'encryptionKey']);
  for (const name of claims.keys()) if (!known.has(name)) throw malformed('an unknown member');
  const text = (name: string, pattern: RegExp): string => {
    const value = claims.get(name);
    if (typeof value !== 'string' || !pattern.test(value)) throw malformed(name);
    return value;
  };
  const iat = claims.get('iat');
  if (typeof iat !== 'number' || !Number.isSafeInteger(iat) || iat < 0 || iat > 9_999_999_999) throw malformed('iat');
  if (claims.has('recordOid') === claims.has('businessId'))
    throw malformed('one of recordOid and businessId is needed');
  return {
    ...(claims.has('recordOid') ? { recordOid: text('recordOid', /^[0-9a-f]{64}$/) } : {}),
    ...(claims.has('businessId') ? { businessId: businessId(claims.get('businessId')) } : {}),
    channel: text('channel', /^[a-z][a-z0-9.-]{0,248}$/),
    msp: text('msp', /^[A-Za-z0-9.-]{1,128}$/),
    nonce: text('nonce', /^[A-Za-z0-9_-]{22,86}$/),
    issuedAtMs: iat * 1_000,
    encryptionKey: parseEncryptionPublicKey(claims.get('encryptionKey')),
  };
}

function businessId(input: unknown): BusinessId {
  if (typeof input !== 'object' || input === null || Object.keys(input).length !== 2) throw malformed('businessId');
  if (!('type' in input) || !('value' in input)) throw malformed('businessId');
  const { type: idType, value } = input;
  if (typeof idType !== 'string' || typeof value !== 'string') throw malformed('businessId');
  return { type: idType, value };
}

function jsonObject(payload: Uint8Array): ReadonlyMap<string, unknown> {
  const parsed = parseJsonStrict(payload, { maxBytes });
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformed('not a JSON object');
  return new Map<string, unknown>(Object.entries(parsed));
}
