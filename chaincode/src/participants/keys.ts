import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { Refusal, refuseInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { canonicalJson } from '../json/canonical.ts';
import type { Ledger } from '../state/ledger.ts';
import { requireNode, requireOrganisation } from './authority.ts';
import type { KeyInput } from './input.ts';
import { keyHeadKey, keyStatementKey, nodeKinds, type KeyStatement, type PublicJwk } from './model.ts';

/** X25519 public keys whose shared secret is all zeros for everybody (RFC 7748 section 6.1), the top bit cleared. */
const lowOrderPoints = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/**
 * Publishes the caller's encryption key (vault, "Keys"). Checked: the caller is a registered node of an admitted organisation; the key is on
 * its curve, is not the caller's signing key, and has this RFC 7638 thumbprint; `seq` follows the last one and `prevKid` links to
 * it; a P-256 key proves possession. An X25519 key cannot prove it to the public: `proven` says so.
 *
 * @throws `role-not-permitted`, `certificate-revoked`, `certificate-untrusted`, `key-invalid`, `signature-invalid`, `sequence-gap`, `conflict`
 */
export async function publish(
  ledger: Ledger,
  caller: Caller,
  channel: string,
  input: KeyInput,
): Promise<{ readonly seq: number; readonly kid: string; readonly repeated: boolean }> {
  await requireOrganisation(ledger, caller.mspId);
  await requireNode(ledger, caller, nodeKinds);
  if (input.notBefore >= input.notAfter) refuseInput('key.notAfter', 'is not after notBefore');
  if (thumbprint(input.key) !== input.kid) throw new Refusal('key-invalid', { reason: 'kid' });
  const statement: KeyStatement = {
    v: 1,
    channel,
    msp: caller.mspId,
    participant: caller.enrolmentId,
    kid: input.kid,
    seq: input.seq,
    prevKid: input.prevKid,
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    key: input.key,
    proven: provePossession(caller, channel, input),
    certificate: caller.certificate,
  };
  const { seq, kid } = statement;
  const place = keyStatementKey(caller.mspId, caller.enrolmentId, seq);
  const existing = await ledger.get(place);
  if (existing !== undefined) {
    const same = canonicalJson({ ...existing, certificate: '' }) === canonicalJson({ ...statement, certificate: '' });
    if (same) return { seq, kid, repeated: true };
    throw new Refusal('conflict', { reason: 'sequence-used', seq });
  }
  const head = await ledger.get(keyHeadKey(caller.mspId, caller.enrolmentId));
  if (seq !== (head?.seq ?? 0) + 1) throw new Refusal('sequence-gap', { expected: (head?.seq ?? 0) + 1, seq });
  if (input.prevKid !== (head?.kid ?? null)) throw new Refusal('sequence-gap', { reason: 'prevKid', seq });
  if (kid === head?.kid) throw new Refusal('conflict', { reason: 'same-key', seq });
  await ledger.put(place, statement);
  await ledger.put(keyHeadKey(caller.mspId, caller.enrolmentId), { v: 1, seq, kid });
  return { seq, kid, repeated: false };
}

/** RFC 7638: SHA-256 over the required members in order, base64url. */
function thumbprint(key: PublicJwk): string {
  const required =
    key.kty === 'EC' ? { crv: key.crv, kty: key.kty, x: key.x, y: key.y } : { crv: key.crv, kty: key.kty, x: key.x };
  return createHash('sha256').update(canonicalJson(required)).digest('base64url');
}

/** The bytes whose signature by the encryption key itself proves possession. */
function proofBytes(caller: Caller, channel: string, input: KeyInput): Buffer {
  const { kid, seq, prevKid, notBefore, notAfter } = input;
  const statement = {
    channel,
    kid,
    msp: caller.mspId,
    notAfter,
    notBefore,
    participant: caller.enrolmentId,
    prevKid,
    seq,
  };
  return Buffer.from(`waymark/v1/key-possession\n${canonicalJson(statement)}`, 'utf8');
}

function provePossession(caller: Caller, channel: string, input: KeyInput): boolean {
  if (input.key.kty === 'OKP') {
    const point = Buffer.from(input.key.x, 'base64url');
    point[31] = (point[31] ?? 0) & 0x7f;
    if (lowOrderPoints.has(point.toString('hex'))) throw new Refusal('key-invalid', { reason: 'low-order' });
    if (input.proof !== undefined) refuseInput('key.proof', 'is not possible for X25519');
    return false;
  }
  const key = importP256(input.key);
  if (key.export({ format: 'der', type: 'spki' }).equals(caller.publicKey))
    throw new Refusal('key-invalid', { reason: 'signing-key' });
  if (input.proof === undefined) return refuseInput('key.proof', 'is missing');
  const signature = Buffer.from(input.proof, 'hex');
  if (!verify('sha256', proofBytes(caller, channel, input), { key, dsaEncoding: 'ieee-p1363' }, signature)) {
    throw new Refusal('signature-invalid', { reason: 'proof-of-possession' });
  }
  return true;
}

function importP256(key: PublicJwk): KeyObject {
  try {
    return createPublicKey({ format: 'jwk', key: { ...key } });
  } catch {
    throw new Refusal('key-invalid', { reason: 'not-on-curve' });
  }
}
