import { DevnetError } from '../errors.ts';
import { parseTransaction } from '../validation/parsed-transaction.ts';
import type { BlockFiles } from './block-files.ts';
import { decodeEnvelopeRange } from './committed-transaction.ts';
import type { HistoryEntry, StateEntry, StateSnapshot, StateValue } from './ledger.ts';
import type { LevelSnapshot, StateDatabase } from './state-database.ts';
import { blockNumberOfHistory, historyRange } from './state-encoding.ts';

/** Reads as of one height: LevelDB keeps what the snapshot sees, and block files only grow. */
export function createStateSnapshot(database: StateDatabase, blocks: BlockFiles): StateSnapshot {
  const level: LevelSnapshot = database.snapshotNow;
  let released = false;
  const opened = (): LevelSnapshot => {
    if (released) throw new DevnetError('LEDGER_CLOSED', 'the state snapshot was released');
    return level;
  };
  return {
    height: database.savepoint(level).height,
    get: async (namespace, key): Promise<StateValue | undefined> => database.get(namespace, key, opened()),
    range: (namespace, start, end): AsyncIterable<StateEntry> => database.range(namespace, start, end, opened()),
    history: (namespace, key) => readHistory(database, blocks, opened(), namespace, key),
    release: () => {
      if (released) return;
      released = true;
      // Fails only when the database is closed already, which has let go of the snapshot itself.
      level.close().catch(() => undefined);
    },
  };
}

/** Newest first; each value is read from the transaction that wrote it. */
async function* readHistory(
  database: StateDatabase,
  blocks: BlockFiles,
  level: LevelSnapshot,
  namespace: string,
  key: string,
): AsyncGenerator<HistoryEntry, void, undefined> {
  const range = { ...historyRange(namespace, key), reverse: true };
  for await (const [databaseKey, stored] of database.rawRange(range, level)) {
    const { offset, length } = decodeEnvelopeRange(stored);
    const blockNumber = blockNumberOfHistory(databaseKey);
    const { txId, timestampMs, action } = parseTransaction(await blocks.readRange(blockNumber, offset, length));
    const set = action?.namespaces.find((candidate) => candidate.namespace === namespace);
    const write = set?.writes.find((candidate) => candidate.key === key);
    if (write === undefined) {
      throw new DevnetError('LEDGER_CORRUPT', 'the history points to a transaction that did not write the key', {
        details: { blockNumber },
      });
    }
    yield { txId, timestampMs, value: write.value ?? new Uint8Array(), isDelete: write.value === undefined };
  }
}
