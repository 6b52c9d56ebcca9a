import { timingSafeEqual } from 'node:crypto';
import { WaymarkError, encodeCbor, parseJsonStrict, type JsonValue } from '@waymark/protocol';
import { consignmentKeyCommitment, type ConsignmentContext } from '../envelope/key-schedule.ts';
import type { EncryptionKeyPair, EncryptionPublicKey } from '../keys/encryption-key.ts';
import { decryptCompact, encryptCompact } from './compact-jwe.ts';

const type = 'waymark-consignment-key+jwe';
const maxBytes = 8 * 1024;

/** A consignment key on its way to one reader. */
export interface WrappedConsignmentKey {
  /** Compact JWE (RFC 7516), ECDH-ES+A256KW, A256GCM, everything protected. */
  readonly jwe: string;
  /** 32 bytes; who publishes it cannot give two readers two keys. */
  readonly commitment: Uint8Array;
}

/**
 * Hands a consignment key to one reader. The key agreement is bound to the owner's key id, and to channel, firm, consignment, epoch and the
 * reader's key id: a wrap that was moved elsewhere does not open.
 * @param ownerKid key id of the owner's encryption key, as in the participant register
 */
export async function wrapConsignmentKey(options: {
  readonly ck: Uint8Array;
  readonly context: ConsignmentContext;
  readonly ownerKid: string;
  readonly recipient: EncryptionPublicKey;
}): Promise<WrappedConsignmentKey> {
  const { ck, context, ownerKid, recipient } = options;
  const commitment = consignmentKeyCommitment(ck, context);
  const payload = JSON.stringify({ ck: encode(ck), commitment: encode(commitment) });
  const jwe = await encryptCompact(
    Buffer.from(payload, 'utf8'),
    recipient,
    bindingOf(context, ownerKid, recipient.kid),
  );
  return { jwe, commitment };
}

/**
 * Opens a wrap for this reader.
 * @param options.commitment the published commitment, when the reader has it
 * @returns CK, 32 bytes. Secret.
 * @throws WaymarkError decryption-failed: for another reader, consignment, epoch, owner, or altered; data-abnormal: the key is not the one
 *   committed to; limit-exceeded
 */
export async function unwrapConsignmentKey(
  jwe: string,
  options: {
    readonly context: ConsignmentContext;
    readonly ownerKid: string;
    readonly reader: EncryptionKeyPair;
    readonly commitment?: Uint8Array;
  },
): Promise<Uint8Array> {
  const { context, ownerKid, reader } = options;
  const plaintext = await decryptCompact(jwe, reader, bindingOf(context, ownerKid, reader.kid), maxBytes);
  const { ck, commitment } = readPayload(plaintext);
  const actual = consignmentKeyCommitment(ck, context);
  for (const claimed of [commitment, options.commitment ?? commitment]) {
    if (claimed.length !== actual.length || !timingSafeEqual(claimed, actual)) throw abnormal();
  }
  return ck;
}

function bindingOf(
  context: ConsignmentContext,
  ownerKid: string,
  recipientKid: string,
): Parameters<typeof encryptCompact>[2] {
  const { channel, msp, consignmentOid, epoch } = context;
  return {
    typ: type,
    kid: recipientKid,
    apu: Buffer.from(ownerKid, 'utf8'),
    apv: encodeCbor(['waymark/v1', 'consignment-key', channel, msp, consignmentOid, epoch, recipientKid]),
  };
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function abnormal(): WaymarkError {
  return new WaymarkError('data-abnormal', 'The wrapped key is not the one that was committed to.');
}

function readPayload(plaintext: Uint8Array): { readonly ck: Uint8Array; readonly commitment: Uint8Array } {
  let payload: JsonValue;
  try {
    payload = parseJsonStrict(plaintext, { maxBytes });
  } catch {
    throw abnormal();
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) throw abnormal();
  const { ck, commitment, ...rest } = payload as Record<string, JsonValue | undefined>;
  const wellFormed = [ck, commitment].every((each) => typeof each === 'string' && /^[A-Za-z0-9_-]{43}$/.test(each));
  if (!wellFormed || Object.keys(rest).length > 0) throw abnormal();
  return { ck: Buffer.from(ck as string, 'base64url'), commitment: Buffer.from(commitment as string, 'base64url') };
}
