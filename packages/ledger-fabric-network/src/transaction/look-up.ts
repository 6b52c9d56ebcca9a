import { common } from '@hyperledger/fabric-protos';
import { decodeBlock, type TransactionStatus } from '@waymark/fabric';
import { isWaymarkError } from '@waymark/protocol';
import type { Link } from '../connection/link.ts';
import { evaluateOn } from './evaluate.ts';

/** In the words of Fabric 2.5 and 3.1 for an id that is in no block. */
const unknownTransaction = /no such transaction|not found in index/i;

/** Reads the block of a transaction from the home peer; undefined when it is in none. */
export async function lookUpTransaction(
  link: Link,
  txId: string,
  timeoutMs: number,
): Promise<TransactionStatus | undefined> {
  const call = { chaincode: 'qscc', contract: '', fn: 'GetBlockByTxID', args: [link.channel.name, txId] };
  let bytes: Uint8Array;
  try {
    bytes = await link.home.ask((peer) => evaluateOn(link, peer, { ...call, options: {}, timeoutMs }));
  } catch (error) {
    const reason = isWaymarkError(error, 'chaincode-error') ? error.details['reason'] : undefined;
    if (typeof reason === 'string' && unknownTransaction.test(reason)) return undefined;
    throw error;
  }
  const { number, transactions } = decodeBlock(common.Block.deserializeBinary(bytes));
  const transaction = transactions.find((candidate) => candidate.txId === txId);
  if (transaction === undefined) return undefined;
  const { valid, validationCode } = transaction;
  return { txId, blockNumber: number, valid, validationCode };
}
