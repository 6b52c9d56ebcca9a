import { createPublicKey } from 'node:crypto';
import { encodeCbor } from '../cose/cbor.ts';
import { readDetached, verifyDetached } from '../cose/detached.ts';
import { Refusal } from '../errors.ts';
import { readIdentity } from '../identity/caller.ts';
import { requireNode } from '../participants/authority.ts';
import type { Ledger } from '../state/ledger.ts';
import { certificateDer } from './input.ts';
import { certificateKey, configurationKey, type StoredConfiguration } from './model.ts';
import type { Statement } from './statements.ts';

/** Nodes that can be members of a ledger: an outlet is a department that also takes records in. */
export const memberKinds = ['center', 'outlet', 'department'] as const;

/** One organisation's private ledger as one transaction judges it. */
export interface LedgerContext {
  readonly ledger: Ledger;
  readonly msp: string;
  readonly channel: string;
  /** `<msp>/<channel>`: the name that its statements carry. */
  readonly name: string;
}

/** A member's signature over a statement of a kind, as hex. */
export interface Signed {
  readonly kind: 'ack' | 'anchor' | 'candidate' | 'receipt' | 'seal' | 'vote';
  readonly member: string;
  readonly statement: Statement;
  readonly signature: string;
}

/**
 * Refuses what this member did not sign, with a certificate that is registered for it here.
 *
 * @param mustBeValid whether a certificate that has since been revoked is refused; evidence is judged without
 * @throws `signature-invalid`, `certificate-untrusted`, `certificate-revoked`, `input-invalid`
 */
export async function requireSigned(
  { ledger, msp, channel }: LedgerContext,
  { kind, member, statement, signature }: Signed,
  mustBeValid: boolean,
): Promise<void> {
  const message = readDetached(Buffer.from(signature, 'hex'), `signature of ${kind}`);
  const known = await ledger.get(certificateKey(msp, message.certificate));
  if (known?.member !== member)
    throw new Refusal('certificate-untrusted', { kind, member, reason: 'not-of-this-member' });
  if (mustBeValid)
    await requireNode(ledger, { mspId: msp, enrolmentId: member, certificate: known.digest }, memberKinds);
  const context = { type: `ledger-${kind}`, channel, publicKey: Buffer.from(known.publicKey, 'base64url') };
  if (!verifyDetached(message, context, encodeCbor(statement)))
    throw new Refusal('signature-invalid', { kind, member, reason: 'bytes' });
}

/**
 * Registers certificates of members. Each is one of a registered, unrevoked center, outlet or department of the organisation; the register of nodes stays the
 * place where it is revoked.
 *
 * @returns how many were new
 * @throws `certificate-untrusted`, `certificate-revoked`, `role-not-permitted`, `input-invalid`
 */
export async function registerCertificates(
  { ledger, msp }: LedgerContext,
  certificates: readonly string[],
  txId: string,
): Promise<number> {
  let added = 0;
  for (const [index, text] of certificates.entries()) {
    const identity = readIdentity(certificateDer(text, `certificates[${index}]`));
    if (!isP256(identity.publicKey)) throw new Refusal('certificate-untrusted', { index, reason: 'key' });
    await requireNode(ledger, { mspId: msp, ...identity }, memberKinds);
    const place = certificateKey(msp, identity.certificate);
    if ((await ledger.get(place)) !== undefined) continue;
    await ledger.put(place, {
      v: 1,
      member: identity.enrolmentId,
      digest: identity.certificate,
      publicKey: Buffer.from(identity.publicKey).toString('base64url'),
      txId,
    });
    added++;
  }
  return added;
}

/**
 * The configurations whose quorums a block needs: that of its epoch, and from the block on that changes the members, the next one as well.
 *
 * @throws `sequence-gap` when the epoch is not registered; `signature-invalid` when the block is below its own epoch
 */
export async function configurationsInForce(
  { ledger, msp }: LedgerContext,
  { epoch, height }: { readonly epoch: number; readonly height: number },
): Promise<readonly StoredConfiguration[]> {
  const current = await ledger.get(configurationKey(msp, epoch));
  if (current === undefined) throw new Refusal('sequence-gap', { epoch, reason: 'configuration' });
  if (height <= current.height) throw new Refusal('signature-invalid', { epoch, height, reason: 'epoch' });
  const next = epoch === Number.MAX_SAFE_INTEGER ? undefined : await ledger.get(configurationKey(msp, epoch + 1));
  return next !== undefined && next.height <= height ? [current, next] : [current];
}

function isP256(publicKey: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}
