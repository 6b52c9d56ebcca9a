import { createHash } from 'node:crypto';
import { encodeCbor } from '../cose/cbor.ts';
import type { Statement } from './statements.ts';

/** Leaf hash of a statement (RFC 6962 section 2.1). */
export function leafHash(statement: Statement): Uint8Array {
  return sha256(Uint8Array.of(0), encodeCbor(statement));
}

/** Whether a leaf hash is leaf `index` of the tree of `size` leaves with this root (RFC 9162 section 2.1.3.2); digests in lower-case hex. */
export function isIncluded(
  leaf: Uint8Array,
  { index, size, path, root }: { index: number; size: number; path: readonly string[]; root: string },
): boolean {
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const text of path) {
    if (last === 0) return false;
    const sibling = Buffer.from(text, 'hex');
    if (node % 2 === 1 || node === last) {
      hash = sha256(Uint8Array.of(1), sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = sha256(Uint8Array.of(1), hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && Buffer.from(hash).toString('hex') === root;
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
