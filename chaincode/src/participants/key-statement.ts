import { createHash } from 'node:crypto';
import { encodeCbor, type Cbor } from '../cose/cbor.ts';
import { decodeBase64url, toJson } from '../cose/claims.ts';
import { importEncryptionKey, possessionProven } from '../cose/possession.ts';
import { decode, openSign1 } from '../cose/sign1.ts';
import { Refusal, refuseInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { canonicalJson } from '../json/canonical.ts';
import { keyClaims, type KeyClaims } from './input.ts';
import type { KeyStatement, PublicJwk } from './model.ts';

const type = 'encryption-key';
const place = 'statement';
const maximumStatementBytes = 8 * 1024;

/**
 * Reads and verifies the caller's own key statement (docs/formats.md, "Encryption key statement"): signed by the certificate that signs
 * the transaction, for this channel, about the caller; the key usable, named after itself, not the signing key; possession proven.
 *
 * @param statement the COSE_Sign1, base64url
 * @throws `input-invalid`, `signature-invalid`, `recipient-mismatch`, `role-not-permitted`, `key-invalid`
 */
export function readKeyStatement(caller: Caller, channel: string, statement: string): KeyStatement {
  const payload = openSign1(decodeBase64url(statement, place, maximumStatementBytes), place, {
    type,
    channel,
    ...caller,
  });
  const map = decode(payload, place);
  if (!(map instanceof Map)) return refuseInput(place, 'is not a map');
  const claims = keyClaims(toJson(map as ReadonlyMap<Cbor, Cbor>, place), place);
  checkSubject(claims, caller, channel);
  if (claims.notBefore >= claims.notAfter) refuseInput(`${place}.notAfter`, 'is not after notBefore');
  if (claims.kid !== thumbprint(claims.key)) throw new Refusal('key-invalid', { reason: 'kid' });
  const key = importEncryptionKey(claims.key, caller.publicKey);
  const claimed = new Map([...(map as ReadonlyMap<Cbor, Cbor>)].filter(([name]) => name !== 'possession'));
  const message = encodeCbor(['waymark/v1', 'encryption-key-possession', channel, encodeCbor(claimed)]);
  if (!possessionProven(claims.key, key, message, Buffer.from(claims.possession, 'hex'))) {
    throw new Refusal('key-invalid', { reason: 'possession' });
  }
  return {
    v: 1,
    channel,
    msp: caller.mspId,
    participant: caller.enrolmentId,
    kid: claims.kid,
    seq: claims.seq,
    prevKid: claims.prevKid,
    notBefore: new Date(claims.notBefore).toISOString(),
    notAfter: new Date(claims.notAfter).toISOString(),
    key: claims.key,
    certificate: caller.certificate,
    statement,
  };
}

function checkSubject(claims: KeyClaims, caller: Caller, channel: string): void {
  if (claims.channel !== channel) throw new Refusal('recipient-mismatch', { reason: 'channel' });
  if (claims.msp !== caller.mspId || claims.participant !== caller.enrolmentId) {
    throw new Refusal('role-not-permitted', { reason: 'not-your-own' });
  }
}

/** RFC 7638: SHA-256 over the required members in order, base64url. */
function thumbprint(key: PublicJwk): string {
  return createHash('sha256').update(canonicalJson(key)).digest('base64url');
}
