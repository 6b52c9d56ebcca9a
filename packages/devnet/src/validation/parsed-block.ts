import type { common } from '@hyperledger/fabric-protos';
import { dataHash } from '../block/hashes.ts';
import { parseTransaction, type ParsedTransaction } from './parsed-transaction.ts';

/** A block taken apart once, for all peers of the process that were handed the same block object. */
export interface ParsedBlock {
  readonly transactions: readonly ParsedTransaction[];
  readonly dataHash: Uint8Array;
}

/** Blocks are never changed after the orderer made them, so what they say is remembered as long as they live. */
const parsedBlocks = new WeakMap<common.Block, ParsedBlock>();

export function parseBlock(block: common.Block): ParsedBlock {
  let parsed = parsedBlocks.get(block);
  if (parsed === undefined) {
    const envelopes = block.getData()?.getDataList_asU8() ?? [];
    parsed = { transactions: envelopes.map(parseTransaction), dataHash: dataHash(envelopes) };
    parsedBlocks.set(block, parsed);
  }
  return parsed;
}
