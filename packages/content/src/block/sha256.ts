import { hash } from 'node:crypto';

/** SHA-256 in one call, the fastest form node has. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** Compares public digests; nothing here is secret, so time may differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
