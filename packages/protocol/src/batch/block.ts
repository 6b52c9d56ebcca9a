import * as dagCbor from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { cidOfDagCbor } from '../cid/cid.ts';
import { WaymarkError } from '../errors.ts';
import type { BatchBlock } from './batch.ts';
import { readBatchBlock } from './block-reader.ts';

/** Largest block that every IPFS node passes on. */
export const maxBatchBlockBytes = 1_900_000;

/** A batch block as the content store keeps it. */
export interface EncodedBatchBlock {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/**
 * The dag-cbor block of a batch and its CID.
 * @throws WaymarkError limit-exceeded
 */
export function encodeBatchBlock(block: BatchBlock): EncodedBatchBlock {
  const bytes = dagCbor.encode({
    v: 1,
    type: 'waymark/batch',
    statement: block.statement,
    signature: block.signature,
    leaves: block.leaves.map(({ recordOid, cid }) => [recordOid, cid]),
  });
  checkSize(bytes);
  return { cid: cidOfDagCbor(bytes), bytes };
}

/**
 * Reads a batch block; what it returns are views of `bytes`. Only its form is checked here; `verifyBatchBlock` proves it.
 * @throws WaymarkError input-invalid: not exactly what `encodeBatchBlock` writes; limit-exceeded
 */
export function decodeBatchBlock(bytes: Uint8Array): BatchBlock {
  checkSize(bytes);
  return readBatchBlock(bytes);
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length > maxBatchBlockBytes) {
    throw new WaymarkError('limit-exceeded', 'The batch block is too large.', {
      details: { sizeBytes: bytes.length, maxBytes: maxBatchBlockBytes },
    });
  }
}
