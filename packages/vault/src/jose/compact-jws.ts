import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose';
import { WaymarkError } from '@waymark/protocol';
import type { PublicJwk } from '../keys/jwk.ts';
import type { SigningKeyPair, SigningPublicKey } from '../keys/signing-key.ts';

const algorithm = 'ES256';

/** The header parameters of a JWS beside its algorithm. */
export interface JwsHeader {
  readonly typ?: string;
  readonly kid?: string;
  readonly jwk?: PublicJwk;
}

/** Signs as a compact JWS (RFC 7515), ES256. */
export async function signCompact(payload: Uint8Array, pair: SigningKeyPair, header: JwsHeader): Promise<string> {
  return await new CompactSign(payload)
    .setProtectedHeader({ alg: algorithm, ...header, ...(header.jwk === undefined ? {} : { jwk: { ...header.jwk } }) })
    .sign(pair.privateKey);
}

function invalid(): WaymarkError {
  return new WaymarkError('signature-invalid', 'The message is not signed by this key, or has another form.');
}

/**
 * The protected header of a compact JWS, not yet verified.
 * @throws WaymarkError signature-invalid, limit-exceeded
 */
export function readJwsHeader(jws: string, maxBytes: number): Readonly<Record<string, unknown>> {
  if (jws.length > maxBytes) {
    throw new WaymarkError('limit-exceeded', 'The signed message is too long.', { details: { maxBytes } });
  }
  try {
    return decodeProtectedHeader(jws);
  } catch {
    throw invalid();
  }
}

/**
 * Verifies a compact JWS under a key that the caller already trusts for this, and returns its payload. The header must have
 * ES256 and exactly the members of `expected`; `jwk` is compared by the caller, who took the key from it.
 * @throws WaymarkError signature-invalid, limit-exceeded
 */
export async function verifyCompact(
  jws: string,
  key: SigningPublicKey,
  expected: { readonly typ?: string; readonly kid?: string; readonly embedsKey?: boolean },
  maxBytes: number,
): Promise<Uint8Array> {
  const header = readJwsHeader(jws, maxBytes);
  const values: Readonly<Record<string, string | undefined>> = { alg: algorithm, typ: expected.typ, kid: expected.kid };
  const allowed = new Set([...Object.keys(values), ...(expected.embedsKey === true ? ['jwk'] : [])]);
  if (!Object.keys(header).every((name) => allowed.has(name))) throw invalid();
  for (const [name, value] of Object.entries(values)) if (header[name] !== value) throw invalid();
  try {
    const { payload } = await compactVerify(jws, key.keyObject, { algorithms: [algorithm] });
    return payload;
  } catch {
    throw invalid();
  }
}
