import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';

/** Output size of SHA-256, bytes. */
const hashBytes = 32;
const counters = Array.from({ length: 256 }, (_, counter) => Buffer.of(counter));

/** Keeps a secret as a `KeyObject`: it prints as nothing, and HMAC with it costs a fifth of HMAC with raw bytes. */
export function secretKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

/** HMAC-SHA-256 (RFC 2104): 32 bytes. */
export function hmacSha256(key: KeyObject | Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(data).digest();
}

/** HKDF-Extract with SHA-256 (RFC 5869 section 2.2): 32 bytes. An absent salt is 32 zero bytes. */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return createHmac('sha256', salt.length === 0 ? Buffer.alloc(hashBytes) : salt)
    .update(inputKey)
    .digest();
}

/**
 * HKDF-Expand with SHA-256 (RFC 5869 section 2.3), by HMAC directly: four times faster than `hkdfSync` for one block.
 * @param lengthBytes at most 255 × 32
 * @throws WaymarkError limit-exceeded
 */
export function hkdfExpand(
  pseudoRandomKey: KeyObject | Uint8Array,
  info: Uint8Array,
  lengthBytes: number = hashBytes,
): Uint8Array {
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > 255 * hashBytes) {
    throw new WaymarkError('limit-exceeded', 'HKDF gives between 1 and 8,160 bytes.', { details: { lengthBytes } });
  }
  if (lengthBytes === hashBytes) {
    return createHmac('sha256', pseudoRandomKey)
      .update(info)
      .update(counters[1] as Buffer)
      .digest();
  }
  const blocks: Buffer[] = [];
  for (let counter = 1; (counter - 1) * hashBytes < lengthBytes; counter += 1) {
    const hmac = createHmac('sha256', pseudoRandomKey);
    const previous = blocks.at(-1);
    if (previous !== undefined) hmac.update(previous);
    blocks.push(
      hmac
        .update(info)
        .update(counters[counter] as Buffer)
        .digest(),
    );
  }
  return Buffer.concat(blocks).subarray(0, lengthBytes);
}
