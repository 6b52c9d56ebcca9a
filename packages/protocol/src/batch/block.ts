import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { checkCid, cidOfDagCbor, rawCode } from '../cid/cid.ts';
import { encodeCbor } from '../encoding/cbor.ts';
import { WaymarkError } from '../errors.ts';
import { leafHash, merkleRoot } from '../merkle/tree.ts';
import type { BatchBlock, BatchLeaf } from './batch.ts';
import { maxBatchRecords } from './statement.ts';

/** Largest block that every IPFS node passes on. */
export const maxBatchBlockBytes = 1_900_000;

/** Hash of a batch leaf: RFC 6962 over cbor["waymark/batch-leaf/v1", oid, CID]. */
export function batchLeafHash(leaf: BatchLeaf): Uint8Array {
  return leafHash(encodeCbor(['waymark/batch-leaf/v1', leaf.recordOid, leaf.cid.bytes]));
}

/** Merkle root over a batch's leaves. */
export function batchRoot(leaves: readonly BatchLeaf[]): Uint8Array {
  return merkleRoot(leaves.map(batchLeafHash));
}

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
  if (bytes.length > maxBatchBlockBytes) {
    throw new WaymarkError('limit-exceeded', 'The batch block is too large.', {
      details: { sizeBytes: bytes.length, maxBytes: maxBatchBlockBytes },
    });
  }
  return { cid: cidOfDagCbor(bytes), bytes };
}

/**
 * Reads a batch block. Only its form is checked here; `verifyBatchBlock` proves it.
 * @throws WaymarkError input-invalid
 */
export function decodeBatchBlock(bytes: Uint8Array): BatchBlock {
  const invalid = (cause?: unknown): WaymarkError =>
    new WaymarkError('input-invalid', 'The block is not a batch.', { cause });
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch (cause) {
    throw invalid(cause);
  }
  if (typeof value !== 'object' || value === null) throw invalid();
  const { v, type, statement, signature, leaves, ...rest } = value as Record<string, unknown>;
  if (v !== 1 || type !== 'waymark/batch' || Object.keys(rest).length > 0) throw invalid();
  if (!(statement instanceof Uint8Array) || !(signature instanceof Uint8Array) || !Array.isArray(leaves))
    throw invalid();
  if (leaves.length === 0 || leaves.length > maxBatchRecords) throw invalid();
  return {
    statement,
    signature,
    leaves: leaves.map((leaf: unknown) => {
      if (!Array.isArray(leaf) || leaf.length !== 2) throw invalid();
      const [recordOid, link] = leaf as [unknown, unknown];
      const cid = CID.asCID(link);
      if (!(recordOid instanceof Uint8Array) || recordOid.length !== 32 || cid === null) throw invalid();
      return { recordOid, cid: checkCid(cid, [rawCode]) };
    }),
  };
}
