import { common } from '@hyperledger/fabric-protos';
import { WaymarkError, isWaymarkError } from '@waymark/protocol';
import { blockDataHash, blockHeaderHash } from './block-hash.ts';
import type { DecodedBlock, DecodedTransaction } from './decoded-block.ts';
import { decodeTransaction } from './decode-transaction.ts';

/**
 * Reads a block that a peer has committed: transactions, whether they are valid, and what the valid ones wrote. The data
 * is checked against the header's hash; signatures are not checked here.
 *
 * @throws WaymarkError `data-abnormal` when the block contradicts itself or a valid transaction cannot be read.
 */
export function decodeBlock(block: common.Block): DecodedBlock {
  const header = block.getHeader();
  if (header === undefined) throw new WaymarkError('data-abnormal', 'a block has no header');
  if (!Number.isSafeInteger(header.getNumber())) throw new WaymarkError('data-abnormal', 'a block header is malformed');
  const number = BigInt(header.getNumber());
  const envelopes = block.getData()?.getDataList_asU8() ?? [];
  const dataHash = header.getDataHash_asU8();
  const previousHash = header.getPreviousHash_asU8();
  if (dataHash.length > 64 || previousHash.length > 64) {
    throw abnormal('a block header is malformed', number);
  }
  if (Buffer.compare(blockDataHash(envelopes), dataHash) !== 0) {
    throw abnormal('block data does not match the hash in the header', number);
  }
  const codes =
    block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.TRANSACTIONS_FILTER] ?? new Uint8Array();
  if (codes.length !== envelopes.length) throw abnormal('a block does not say which transactions are valid', number);
  return {
    number,
    hash: blockHeaderHash(number, previousHash, dataHash),
    previousHash,
    transactions: envelopes.map((envelope, index) => readTransaction(envelope, codes[index] ?? 255, number, index)),
  };
}

function readTransaction(envelope: Uint8Array, code: number, blockNumber: bigint, index: number): DecodedTransaction {
  try {
    return decodeTransaction(envelope, code);
  } catch (cause) {
    if (isWaymarkError(cause)) throw cause;
    throw new WaymarkError('data-abnormal', 'a valid transaction cannot be read', {
      details: { blockNumber: String(blockNumber), index },
      cause,
    });
  }
}

function abnormal(message: string, blockNumber: bigint): WaymarkError {
  return new WaymarkError('data-abnormal', message, { details: { blockNumber: String(blockNumber) } });
}
