import type { CloseableAsyncIterable, Network } from '@hyperledger/fabric-gateway';
import { WaymarkError } from '@waymark/protocol';
import { blocksInTurn } from '../block/blocks-in-turn.ts';
import type { DecodedBlock } from '../block/decoded-block.ts';
import { fromGatewayFailure } from '../errors/gateway-failure.ts';
import type { BlockEventsOptions, ChaincodeEvent, ChaincodeEventsOptions } from '../ledger.ts';

/** Blocks from `from` on, one after the other. A block out of turn is `data-abnormal`. */
export function readBlocks(
  network: Network,
  { from, signal }: BlockEventsOptions,
  closing: AbortSignal,
): AsyncGenerator<DecodedBlock> {
  const open = (): ReturnType<Network['getBlockEvents']> => network.getBlockEvents({ startBlock: from });
  return blocksInTurn(follow(open, anyOf(closing, signal)), from);
}

/** Events of the chaincode from `fromBlock` on. */
export async function* readChaincodeEvents(
  network: Network,
  chaincode: string,
  { fromBlock, afterTxId, signal }: ChaincodeEventsOptions,
  closing: AbortSignal,
): AsyncGenerator<ChaincodeEvent> {
  const checkpoint = { getBlockNumber: () => fromBlock, getTransactionId: () => afterTxId };
  const open = (): ReturnType<Network['getChaincodeEvents']> => network.getChaincodeEvents(chaincode, { checkpoint });
  for await (const event of follow(open, anyOf(closing, signal))) {
    const { transactionId, eventName, payload } = event;
    yield { blockNumber: event.blockNumber, txId: transactionId, name: eventName, payload };
  }
}

/** Iterates a stream of the client library, which must be closed by hand and fails without type when it ends. */
async function* follow<T>(open: () => Promise<CloseableAsyncIterable<T>>, signal: AbortSignal): AsyncGenerator<T> {
  const stopped = (): boolean => signal.aborted;
  if (stopped()) return;
  let stream: CloseableAsyncIterable<T> | undefined;
  const close = (): void => stream?.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    stream = await open();
    for await (const item of stream) {
      if (stopped()) return;
      yield item;
    }
    if (!stopped()) throw new WaymarkError('unavailable', 'the ledger ended the stream');
  } catch (error) {
    if (stopped()) return;
    throw fromGatewayFailure(error);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function anyOf(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second]);
}
