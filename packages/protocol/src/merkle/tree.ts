import { createMerkleAccumulator } from './accumulator.ts';
import { nodeHash } from './node.ts';

/**
 * Merkle trees as RFC 6962 section 2.1 hashes them: leaves and nodes are told apart by a first byte, and an odd node is
 * carried up, never doubled. Which tree a leaf belongs to is said inside the leaf data (docs/formats.md).
 */

/** Root over leaf hashes; of no leaves, the hash of nothing (RFC 6962 section 2.1). */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  const tree = createMerkleAccumulator();
  for (const leafHash of leafHashes) tree.add(leafHash);
  return tree.root();
}

function nextLevel(level: readonly Uint8Array[]): Uint8Array[] {
  const next: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const left = level[index] as Uint8Array;
    const right = level[index + 1];
    next.push(right === undefined ? left : nodeHash(left, right));
  }
  return next;
}

/**
 * Audit path of one leaf, lowest sibling first (RFC 9162 section 2.1.3.1).
 * @throws RangeError when there is no such leaf
 */
export function inclusionProof(leafHashes: readonly Uint8Array[], leafIndex: number): Uint8Array[] {
  if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= leafHashes.length) {
    throw new RangeError(`no leaf ${leafIndex} in a tree of ${leafHashes.length}`);
  }
  const path: Uint8Array[] = [];
  let level = leafHashes;
  for (let index = leafIndex; level.length > 1; index >>= 1) {
    const sibling = level[index ^ 1];
    if (sibling !== undefined) path.push(sibling);
    level = nextLevel(level);
  }
  return path;
}

/**
 * Inclusion proofs of many leaves of one tree, whose nodes are hashed once.
 * @returns the proof of a leaf, as `inclusionProof` gives it; throws RangeError when the tree has no such leaf
 */
export function inclusionProofs(leafHashes: readonly Uint8Array[]): (leafIndex: number) => Uint8Array[] {
  const levels: (readonly Uint8Array[])[] = [];
  for (let level = leafHashes; level.length > 1; level = nextLevel(level)) levels.push(level);
  return (leafIndex) => {
    if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= leafHashes.length) {
      throw new RangeError(`no leaf ${leafIndex} in a tree of ${leafHashes.length}`);
    }
    return levels.flatMap((level, height) => level[(leafIndex >> height) ^ 1] ?? []);
  };
}

/**
 * Proof that a tree of `oldSize` leaves is a prefix of this one (RFC 9162 section 2.1.4.1).
 * @throws RangeError when `oldSize` is out of bounds; an empty tree is no prefix that could be proven
 */
export function consistencyProof(leafHashes: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  if (!Number.isSafeInteger(oldSize) || oldSize < 1 || oldSize > leafHashes.length) {
    throw new RangeError(`no tree of ${oldSize} in a tree of ${leafHashes.length}`);
  }
  return subProof(leafHashes, oldSize, true);
}

function subProof(leafHashes: readonly Uint8Array[], oldSize: number, whole: boolean): Uint8Array[] {
  if (oldSize === leafHashes.length) return whole ? [] : [merkleRoot(leafHashes)];
  const split = largestPowerBelow(leafHashes.length);
  if (oldSize <= split) {
    return [...subProof(leafHashes.slice(0, split), oldSize, whole), merkleRoot(leafHashes.slice(split))];
  }
  return [...subProof(leafHashes.slice(split), oldSize - split, false), merkleRoot(leafHashes.slice(0, split))];
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
