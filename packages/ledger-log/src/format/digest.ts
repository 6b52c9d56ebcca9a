import { hash } from 'node:crypto';

/** Octets of SHA-256 that are kept: enough that no fault of a disk meets them by chance. */
export const digestSizeBytes = 16;

/** What stands before the first record of a log. */
export const noDigest: Uint8Array = new Uint8Array(digestSizeBytes);

/** The first 16 octets of SHA-256. */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer').subarray(0, digestSizeBytes);
}
