import { randomBytes } from 'node:crypto';

const poolBytes = 4 * 1024 ** 2;

/** Values of so many bytes that nobody compresses or finds equal, at next to no cost: windows into a pool of random bytes. */
export function recordValues(sizeBytes: number): () => Uint8Array {
  const pool = randomBytes(poolBytes + sizeBytes);
  let at = 0;
  return () => {
    // A step that has no factor in common with the pool's size: it comes to every place before it comes back.
    at = (at + 4_099) % poolBytes;
    return pool.subarray(at, at + sizeBytes);
  };
}
