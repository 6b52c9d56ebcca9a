import type { KeyObject } from 'node:crypto';
import { WaymarkError, encodeCbor, sha256 } from '@waymark/protocol';
import { hkdfExpand, hkdfExtract, secretKey } from '../derivation/hkdf.ts';

/** The unit a firm would share as a whole, and its epoch: what a consignment key is bound to. */
export interface ConsignmentContext {
  readonly channel: string;
  readonly msp: string;
  /** 16 bytes. */
  readonly consignmentOid: Uint8Array;
  /** 0, 1, 2, ...; a new one when a recipient is taken off. */
  readonly epoch: number;
}

/** Keys of one envelope. */
export interface EnvelopeKeys {
  /** AES-256-GCM key. */
  readonly encryption: KeyObject;
  /** Goes with the ciphertext; commits to key and header, which the GCM tag does not. 32 bytes. */
  readonly commitment: Uint8Array;
}

const keyBytes = 32;
const saltInfo = Buffer.from('salt', 'utf8');

/** Refuses a key of another size than 32 bytes. @throws WaymarkError key-invalid */
export function checkKeySize(key: Uint8Array): void {
  if (key.length !== keyBytes) throw new WaymarkError('key-invalid', 'The key does not have 32 bytes.');
}

/**
 * PRK = HKDF-Extract(SHA-256(context), CK): once per consignment and epoch.
 * @param consignmentKey CK, 32 random bytes
 * @throws WaymarkError key-invalid
 */
export function consignmentPseudoRandomKey(consignmentKey: Uint8Array, context: ConsignmentContext): KeyObject {
  checkKeySize(consignmentKey);
  const { channel, msp, consignmentOid, epoch } = context;
  const salt = sha256(encodeCbor(['waymark/v1', channel, msp, consignmentOid, epoch]));
  return secretKey(hkdfExtract(salt, consignmentKey));
}

/** RK = Expand(PRK, cbor["record", recordOid, sealId]), 32 bytes: opens this one sealing and no other. Secret. */
export function deriveRecordKey(pseudoRandomKey: KeyObject, recordOid: Uint8Array, sealId: Uint8Array): Uint8Array {
  return hkdfExpand(pseudoRandomKey, encodeCbor(['record', recordOid, sealId]));
}

/** Kenc and C, from RK and the protected header's bytes. */
export function deriveEnvelopeKeys(recordKey: Uint8Array, protectedHeader: Uint8Array): EnvelopeKeys {
  const key = secretKey(recordKey);
  const headerHash = sha256(protectedHeader);
  return {
    encryption: secretKey(hkdfExpand(key, encodeCbor(['enc', headerHash]))),
    commitment: hkdfExpand(key, encodeCbor(['commit', headerHash])),
  };
}

/** Ksalt = Expand(RK, "salt"), 32 bytes: the salts of the record's disclosure groups. Independent of the header, which holds their root. */
export function deriveSaltKey(recordKey: Uint8Array): Uint8Array {
  return hkdfExpand(recordKey, saltInfo);
}

/** A commitment to a consignment key in its context, 32 bytes: two recipients of a hand-over can compare that they got the same. */
export function consignmentKeyCommitment(consignmentKey: Uint8Array, context: ConsignmentContext): Uint8Array {
  return hkdfExpand(consignmentPseudoRandomKey(consignmentKey, context), encodeCbor(['key-commit']));
}
