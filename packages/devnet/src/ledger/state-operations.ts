import { peer } from '@hyperledger/fabric-protos';
import type { ParsedBlock } from '../validation/parsed-block.ts';
import type { UpdateBatch } from '../validation/update-batch.ts';
import type { ByteRange } from './block-encoding.ts';
import { encodeEnvelopeRange, encodeTransactionLocation } from './committed-transaction.ts';
import { SAVEPOINT_KEY, blockKey, encodeStateValue, historyKey, stateKey, transactionKey } from './state-encoding.ts';
import type { Operation } from './state-database.ts';

export interface CommittedChanges {
  readonly blockNumber: bigint;
  readonly blockHash: Uint8Array;
  readonly block: ParsedBlock;
  readonly envelopes: readonly ByteRange[];
  readonly flags: Uint8Array;
  readonly updates: UpdateBatch;
  /** For each transaction: whether its id stood in an earlier block, whose entry then stays. */
  readonly known: readonly boolean[];
}

/** Everything that one block changes in the database, to be written at once. */
export function stateOperations(changes: CommittedChanges): Operation[] {
  const savepoint = Buffer.alloc(8);
  savepoint.writeBigUInt64BE(changes.blockNumber + 1n);
  return [
    ...stateChanges(changes.updates),
    ...historyEntries(changes),
    ...transactionEntries(changes),
    { type: 'put', key: blockKey(changes.blockNumber), value: changes.blockHash },
    { type: 'put', key: SAVEPOINT_KEY, value: savepoint },
  ];
}

function* stateChanges(updates: UpdateBatch): Generator<Operation> {
  for (const { namespace, key, update } of updates.entries()) {
    const databaseKey = stateKey(namespace, key);
    yield update.value === undefined
      ? { type: 'del', key: databaseKey }
      : {
          type: 'put',
          key: databaseKey,
          value: encodeStateValue(databaseKey, update.version, update.value, update.metadata),
        };
  }
}

/** One entry per written key of each valid transaction; values are found in the blocks. */
function* historyEntries({ blockNumber, block, envelopes, flags }: CommittedChanges): Generator<Operation> {
  for (const [index, { action }] of block.transactions.entries()) {
    const range = envelopes[index];
    if (flags[index] !== peer.TxValidationCode.VALID || action === undefined || range === undefined) continue;
    const value = encodeEnvelopeRange(range.offset, range.length);
    const version = { blockNumber, txNumber: BigInt(index) };
    for (const { namespace, writes } of action.namespaces) {
      for (const { key } of writes) yield { type: 'put', key: historyKey(namespace, key, version), value };
    }
  }
}

/** The first transaction with an id keeps it, valid or not. */
function* transactionEntries({ blockNumber, block, flags, known }: CommittedChanges): Generator<Operation> {
  const seen = new Set<string>();
  for (const [index, { txId }] of block.transactions.entries()) {
    if (txId === '' || known[index] === true || seen.has(txId)) continue;
    seen.add(txId);
    const code = flags[index] ?? peer.TxValidationCode.NOT_VALIDATED;
    yield {
      type: 'put',
      key: transactionKey(txId),
      value: encodeTransactionLocation(blockNumber, index, code),
    };
  }
}
