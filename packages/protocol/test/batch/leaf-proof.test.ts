import { randomBytes } from 'node:crypto';
import {
  type BatchBlock,
  type BatchLeaf,
  batchRoot,
  findBatchLeaf,
  proveBatchLeaf,
  verifyBatchLeaf,
} from '../../src/index.ts';
import { randomLeaf } from '../support/batch.ts';
import { codeOf } from '../support/refusal.ts';

const blockOf = (leaves: readonly BatchLeaf[]): BatchBlock => ({
  statement: new Uint8Array(0),
  signature: new Uint8Array(0),
  leaves,
});
const batchOf = (leaves: readonly BatchLeaf[]): { root: Uint8Array; count: number } => ({
  root: batchRoot(leaves),
  count: leaves.length,
});

test('every record of a batch is found and proven by root and count alone', () => {
  for (const size of [1, 2, 3, 7, 8, 33]) {
    const leaves = Array.from({ length: size }, randomLeaf);
    for (const [index, { recordOid }] of leaves.entries()) {
      expect(findBatchLeaf(blockOf(leaves), recordOid)).toBe(index);
      expect(verifyBatchLeaf(batchOf(leaves), proveBatchLeaf(blockOf(leaves), recordOid))).toBe(true);
    }
  }
});

test('a proof holds for its own record, place, count and root only', () => {
  const leaves = Array.from({ length: 5 }, randomLeaf);
  const [first, second] = leaves as [BatchLeaf, BatchLeaf];
  const proof = proveBatchLeaf(blockOf(leaves), first.recordOid);
  const batch = batchOf(leaves);
  expect(verifyBatchLeaf(batch, { ...proof, leaf: second })).toBe(false);
  expect(verifyBatchLeaf(batch, { ...proof, leaf: { ...first, cid: second.cid } })).toBe(false);
  expect(verifyBatchLeaf(batch, { ...proof, leafIndex: 1 })).toBe(false);
  expect(verifyBatchLeaf({ ...batch, count: 3 }, proof)).toBe(false);
  expect(verifyBatchLeaf(batchOf(leaves.slice(1)), proof)).toBe(false);
});

test('a record that is not there is refused, one that is there twice is data-abnormal', () => {
  const leaf = randomLeaf();
  const twice = [leaf, randomLeaf(), { ...leaf, cid: randomLeaf().cid }];
  expect(findBatchLeaf(blockOf([leaf]), randomBytes(32))).toBeUndefined();
  expect(codeOf(() => proveBatchLeaf(blockOf([leaf]), randomBytes(32)))).toBe('refused');
  expect(codeOf(() => findBatchLeaf(blockOf(twice), leaf.recordOid))).toBe('data-abnormal');
  expect(codeOf(() => proveBatchLeaf(blockOf(twice), leaf.recordOid))).toBe('data-abnormal');
});
