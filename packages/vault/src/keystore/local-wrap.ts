import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { WaymarkError, encodeCbor } from '@waymark/protocol';
import { hkdfExpand } from '../derivation/hkdf.ts';
import { randomId } from '../derivation/random.ts';

/** Which key a wrap holds; a wrap moved to another row does not open. */
export interface LocalBinding {
  readonly channel: string;
  readonly msp: string;
  readonly consignmentOid: Uint8Array;
  readonly epoch: number;
}

/** Wraps keys of 32 bytes for a table of this service (61 bytes: version, IV, ciphertext, tag), under a key only its key store holds. */
export interface LocalWrap {
  wrapLocal(key: Uint8Array, binding: LocalBinding): Uint8Array;
  /** @throws WaymarkError decryption-failed: other key store, other binding, or altered */
  unwrapLocal(wrapped: Uint8Array, binding: LocalBinding): Uint8Array;
}

const version = 1;
const ivBytes = 12;
const keyBytes = 32;
const tagBytes = 16;
const wrappedBytes = 1 + ivBytes + keyBytes + tagBytes;

/** The wrap of one key store. Each binding has its own wrapping key, so that random IVs never run out. */
export function localWrap(root: KeyObject): LocalWrap {
  const aadOf = ({ channel, msp, consignmentOid, epoch }: LocalBinding): Uint8Array =>
    encodeCbor(['waymark/local-wrap/v1', channel, msp, consignmentOid, epoch]);
  return {
    wrapLocal(key, binding) {
      if (key.length !== keyBytes) throw new WaymarkError('key-invalid', 'A wrapped key has 32 bytes.');
      const aad = aadOf(binding);
      const iv = randomId(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', hkdfExpand(root, aad), iv).setAAD(aad);
      return Buffer.concat([Buffer.of(version), iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
    },
    unwrapLocal(wrapped, binding) {
      const aad = aadOf(binding);
      try {
        if (wrapped.length !== wrappedBytes || wrapped[0] !== version) throw new Error('other form');
        const decipher = createDecipheriv('aes-256-gcm', hkdfExpand(root, aad), wrapped.subarray(1, 1 + ivBytes))
          .setAAD(aad)
          .setAuthTag(wrapped.subarray(-tagBytes));
        return Buffer.concat([decipher.update(wrapped.subarray(1 + ivBytes, -tagBytes)), decipher.final()]);
      } catch {
        throw new WaymarkError('decryption-failed', 'A wrapped key does not open under this key store and place.');
      }
    },
  };
}
