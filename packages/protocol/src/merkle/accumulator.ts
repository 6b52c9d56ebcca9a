import { sha256 } from '../hash.ts';
import { nodeHash } from './node.ts';

/** A tree that grows by leaves and keeps no more than its right edge: log2(size) hashes. */
export interface MerkleAccumulator {
  readonly size: number;
  add(leafHash: Uint8Array): void;
  /** Root over the leaves so far (RFC 6962 section 2.1); of none, the hash of nothing. */
  root(): Uint8Array;
}

/** An empty tree. */
export function createMerkleAccumulator(): MerkleAccumulator {
  /** Roots of the complete subtrees that `size` is the sum of, largest first. */
  const peaks: Uint8Array[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(leafHash) {
      let hash = leafHash;
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) hash = nodeHash(peaks.pop() as Uint8Array, hash);
      peaks.push(hash);
      size += 1;
    },
    root() {
      let root = peaks.at(-1);
      if (root === undefined) return sha256(new Uint8Array(0));
      for (let index = peaks.length - 2; index >= 0; index -= 1) root = nodeHash(peaks[index] as Uint8Array, root);
      return root;
    },
  };
}
