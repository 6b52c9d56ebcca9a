import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  consistencyProof,
  createMerkleAccumulator,
  inclusionProof,
  inclusionProofs,
  leafHash,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/index.ts';
import { flipped } from '../support/refusal.ts';

/** MTH of RFC 6962 section 2.1, as it stands there. */
function mth(data: readonly Uint8Array[]): Uint8Array {
  const sha = (...parts: readonly Uint8Array[]): Uint8Array =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const [first] = data;
  if (first === undefined) return sha();
  if (data.length === 1) return sha(Uint8Array.of(0), first);
  let k = 1;
  while (k * 2 < data.length) k *= 2;
  return sha(Uint8Array.of(1), mth(data.slice(0, k)), mth(data.slice(k)));
}

const dataOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));
const hashesOf = (count: number): Uint8Array[] => dataOf(count).map(leafHash);
const headOf = (leaves: readonly Uint8Array[]): { size: number; root: Uint8Array } => ({
  size: leaves.length,
  root: merkleRoot(leaves),
});

test('proofs of many leaves of a tree are those of each alone', () => {
  for (const count of [1, 2, 3, 7, 8, 33]) {
    const leaves = hashesOf(count);
    const proofs = inclusionProofs(leaves);
    for (const index of leaves.keys()) expect(proofs(index)).toEqual(inclusionProof(leaves, index));
    expect(() => proofs(count)).toThrow(RangeError);
    expect(() => proofs(-1)).toThrow(RangeError);
  }
});

test('the root of no leaves is the hash of nothing', () => {
  expect(Buffer.from(merkleRoot([])).toString('hex')).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});

test('roots are those of the definition, for every size up to 70', () => {
  for (let count = 0; count <= 70; count += 1) {
    expect([count, Buffer.from(merkleRoot(hashesOf(count)))]).toEqual([count, Buffer.from(mth(dataOf(count)))]);
  }
});

test('a tree that grows has the root of each size on its way', () => {
  const tree = createMerkleAccumulator();
  for (let count = 1; count <= 70; count += 1) {
    tree.add(leafHash(Buffer.from(`leaf ${count - 1}`)));
    expect(tree.size).toBe(count);
    expect(tree.root()).toEqual(merkleRoot(hashesOf(count)));
  }
});

test('every leaf of every tree up to 40 is proven, at its own place only', () => {
  for (let count = 1; count <= 40; count += 1) {
    const leaves = hashesOf(count);
    const head = headOf(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const proof = inclusionProof(leaves, index);
      for (let claimed = -1; claimed <= count; claimed += 1) {
        expect([count, index, claimed, verifyInclusion(head, claimed, leaf, proof)]).toEqual([
          count,
          index,
          claimed,
          claimed === index,
        ]);
      }
    }
  }
});

test('every older tree up to 40 is proven a prefix, of its own size only', () => {
  for (let count = 1; count <= 40; count += 1) {
    const leaves = hashesOf(count);
    const newer = headOf(leaves);
    for (let oldSize = 1; oldSize <= count; oldSize += 1) {
      const proof = consistencyProof(leaves, oldSize);
      const { root } = headOf(leaves.slice(0, oldSize));
      expect(verifyConsistency({ size: oldSize, root }, newer, proof)).toBe(true);
      for (const size of [oldSize - 1, oldSize + 1])
        expect([count, oldSize, size, verifyConsistency({ size, root }, newer, proof)]).toEqual([count, oldSize, size, false]); // prettier-ignore
    }
  }
});

test('a proof with a flipped bit, a hash more or a hash less proves nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.nat(), fc.nat(), fc.nat(), (count, place, part, bit) => {
      const leaves = hashesOf(count);
      const head = headOf(leaves);
      const index = place % count;
      const leaf = leaves[index] as Uint8Array;
      const proof = inclusionProof(leaves, index);
      const broken = proof.map((hash, at) => (at === part % proof.length ? flipped(hash, bit % 256) : hash));
      expect(verifyInclusion(head, index, leaf, broken)).toBe(false);
      expect(verifyInclusion(head, index, leaf, proof.slice(1))).toBe(false);
      expect(verifyInclusion(head, index, leaf, [...proof, leaf])).toBe(false);
      expect(verifyInclusion(head, index, flipped(leaf, bit % 256), proof)).toBe(false);
      expect(verifyInclusion({ ...head, root: flipped(head.root, bit % 256) }, index, leaf, proof)).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test('an inner node does not pass for a leaf, nor a leaf for a node', () => {
  const [a, b] = hashesOf(2) as [Uint8Array, Uint8Array];
  const node = nodeHash(a, b);
  expect(leafHash(Buffer.concat([a, b]))).not.toEqual(node);
  // A tree of two whose "leaves" are the nodes of a tree of four has another size, and the size is part of the claim.
  const four = hashesOf(4);
  const root = merkleRoot(four);
  const right = nodeHash(four[2] as Uint8Array, four[3] as Uint8Array);
  expect(verifyInclusion({ size: 4, root }, 0, nodeHash(four[0] as Uint8Array, four[1] as Uint8Array), [right])).toBe(
    false,
  );
  // Data that is prefixed like a node hashes as a leaf all the same.
  expect(leafHash(Buffer.concat([Uint8Array.of(1), a, b]))).not.toEqual(node);
});

test('an odd leaf is carried up, not doubled', () => {
  const three = hashesOf(3);
  expect(merkleRoot([...three, three[2] as Uint8Array])).not.toEqual(merkleRoot(three));
});

test('places and sizes that do not exist are refused', () => {
  const leaves = hashesOf(3);
  for (const index of [-1, 3, 0.5, Number.NaN]) expect(() => inclusionProof(leaves, index)).toThrow(RangeError);
  for (const size of [-1, 0, 4, 1.5, Number.NaN]) expect(() => consistencyProof(leaves, size)).toThrow(RangeError);
  expect(() => inclusionProof([], 0)).toThrow(RangeError);
  const head = headOf(leaves);
  const [leaf] = leaves as [Uint8Array];
  expect(verifyInclusion({ ...head, size: 0 }, 0, leaf, [])).toBe(false);
  expect(verifyInclusion({ ...head, size: 2 ** 53 }, 0, leaf, [])).toBe(false);
  expect(verifyInclusion({ ...head, size: Number.NaN }, 0, leaf, [])).toBe(false);
  expect(verifyConsistency({ ...head, size: 1.5 }, head, [])).toBe(false);
  expect(verifyConsistency(head, { ...head, size: 2 }, [])).toBe(false);
  const empty = headOf([]);
  expect(verifyConsistency(empty, empty, [])).toBe(false);
  expect(verifyConsistency(empty, head, [])).toBe(false);
});

test('hashes of other lengths are refused', () => {
  const leaves = hashesOf(2);
  const head = headOf(leaves);
  const [a, b] = leaves as [Uint8Array, Uint8Array];
  expect(verifyInclusion(head, 0, a.subarray(1), [b])).toBe(false);
  expect(verifyInclusion(head, 0, a, [b.subarray(1)])).toBe(false);
  // 33 and 31 bytes would be the same bytes to hash as 32 and 32.
  const joined = Buffer.concat([a, b]);
  expect(verifyInclusion(head, 0, joined.subarray(0, 33), [joined.subarray(33)])).toBe(false);
});
