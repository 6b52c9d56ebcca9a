import { common } from '@hyperledger/fabric-protos';
import type { BlockEventsOptions, ChaincodeEvent, ChaincodeEventsOptions, DecodedBlock } from '@waymark/fabric';
import { blocksInTurn } from '@waymark/fabric/client';
import type { Link } from '../connection/link.ts';
import { deliver, type WireBlock } from './deliver.ts';

/** Whole blocks of the home peer from `from` on. */
export async function* readBlocks(
  connect: () => Promise<Link>,
  { from, signal }: BlockEventsOptions,
  closing: AbortSignal,
): AsyncGenerator<DecodedBlock> {
  const either = signal === undefined ? closing : AbortSignal.any([closing, signal]);
  if (either.aborted) return;
  yield* blocksInTurn(wholeBlocks(await connect(), from, either), from);
}

/** Events of one chaincode's valid transactions. */
export async function* readChaincodeEvents(
  connect: () => Promise<Link>,
  chaincode: string,
  { fromBlock, afterTxId, signal }: ChaincodeEventsOptions,
  closing: AbortSignal,
): AsyncGenerator<ChaincodeEvent> {
  let skipping = afterTxId !== undefined;
  const options = { from: fromBlock, ...(signal === undefined ? {} : { signal }) };
  for await (const { number, transactions } of readBlocks(connect, options, closing)) {
    if (number !== fromBlock) skipping = false;
    for (const { txId, events } of transactions) {
      for (const { name, payload } of skipping ? [] : events.filter((event) => event.chaincode === chaincode)) {
        if (signal?.aborted === true || closing.aborted) return;
        yield { blockNumber: number, txId, name, payload };
      }
      if (txId === afterTxId) skipping = false;
    }
  }
}

async function* wholeBlocks(link: Link, from: bigint, signal: AbortSignal): AsyncGenerator<common.Block> {
  const peer = link.home.current;
  try {
    for await (const { block } of deliver(link, peer, 'full', from, signal)) {
      if (block !== undefined && block !== null) yield toMessage(block);
    }
  } catch (error) {
    link.home.leave(peer);
    throw error;
  }
}

function toMessage({ header, data, metadata }: WireBlock): common.Block {
  const block = new common.Block();
  const blockHeader = new common.BlockHeader();
  blockHeader.setNumber(Number(header.number.toString()));
  blockHeader.setPreviousHash(header.previous_hash);
  blockHeader.setDataHash(header.data_hash);
  block.setHeader(blockHeader);
  const blockData = new common.BlockData();
  blockData.setDataList([...data.data]);
  block.setData(blockData);
  const blockMetadata = new common.BlockMetadata();
  blockMetadata.setMetadataList([...metadata.metadata]);
  block.setMetadata(blockMetadata);
  return block;
}
