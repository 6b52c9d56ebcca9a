import { bytesEqual } from '../hash.ts';
import { nodeHash } from './node.ts';

const hashBytes = 32;

/** A tree as somebody claims it: its number of leaves and its root. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether `leafHash` is leaf `leafIndex` of the tree (RFC 9162 section 2.1.3.2). Sizes up to 2^53 − 1. */
export function verifyInclusion(
  head: TreeHead,
  leafIndex: number,
  leafHash: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  const { size, root } = head;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= size)
    return false;
  if (leafHash.length !== hashBytes || !proof.every((hash) => hash.length === hashBytes)) return false;
  let node = leafIndex;
  let last = size - 1;
  let current = leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      current = nodeHash(sibling, current);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      current = nodeHash(current, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && bytesEqual(current, root);
}

/** Whether the older tree is a prefix of the newer (RFC 9162 section 2.1.4.2). An empty older tree would be one of any: false. */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (
    !Number.isSafeInteger(older.size) ||
    !Number.isSafeInteger(newer.size) ||
    older.size < 1 ||
    older.size > newer.size
  )
    return false;
  if (!proof.every((hash) => hash.length === hashBytes)) return false;
  if (older.size === newer.size) return proof.length === 0 && bytesEqual(older.root, newer.root);
  let node = older.size - 1;
  let last = newer.size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  const hashes = node === 0 ? [older.root, ...proof] : [...proof];
  const first = hashes.shift();
  if (first === undefined) return false;
  let oldRoot = first;
  let newRoot = first;
  for (const hash of hashes) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldRoot = nodeHash(hash, oldRoot);
      newRoot = nodeHash(hash, newRoot);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newRoot = nodeHash(newRoot, hash);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && bytesEqual(oldRoot, older.root) && bytesEqual(newRoot, newer.root);
}
