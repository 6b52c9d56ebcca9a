import { WaymarkError } from '../errors.ts';
import { bytesEqual } from '../hash.ts';
import { inclusionProof } from '../merkle/tree.ts';
import { verifyInclusion } from '../merkle/verify.ts';
import type { BatchBlock, BatchLeaf, BatchStatement } from './batch.ts';
import { batchLeafHash } from './leaf.ts';

/** Shows that a record is in a batch to somebody who has no more than the batch's root and count. */
export interface BatchLeafProof {
  readonly leaf: BatchLeaf;
  readonly leafIndex: number;
  /** Audit path, lowest sibling first. */
  readonly path: readonly Uint8Array[];
}

/**
 * Looks a record up in a batch.
 * @returns its place among the leaves, or undefined when it is not there
 * @throws WaymarkError data-abnormal: it is there twice, so that nobody can say which envelope is meant
 */
export function findBatchLeaf(block: BatchBlock, recordOid: Uint8Array): number | undefined {
  const places = [...block.leaves.keys()].filter((index) =>
    bytesEqual((block.leaves[index] as BatchLeaf).recordOid, recordOid),
  );
  if (places.length > 1) throw new WaymarkError('data-abnormal', 'The batch holds one record twice.');
  return places[0];
}

/**
 * Proves that a record is in its batch.
 * @throws WaymarkError refused: it is not in this batch; data-abnormal: it is there twice
 */
export function proveBatchLeaf(block: BatchBlock, recordOid: Uint8Array): BatchLeafProof {
  const leafIndex = findBatchLeaf(block, recordOid);
  const leaf = leafIndex === undefined ? undefined : block.leaves[leafIndex];
  if (leafIndex === undefined || leaf === undefined)
    throw new WaymarkError('refused', 'The batch does not hold this record.');
  return { leaf, leafIndex, path: inclusionProof(block.leaves.map(batchLeafHash), leafIndex) };
}

/** Whether a proof holds against a batch's root and count, which must come from the chain or from a signed statement. */
export function verifyBatchLeaf(batch: Pick<BatchStatement, 'root' | 'count'>, proof: BatchLeafProof): boolean {
  return verifyInclusion(
    { size: batch.count, root: batch.root },
    proof.leafIndex,
    batchLeafHash(proof.leaf),
    proof.path,
  );
}
