import { DevnetError } from '../errors.ts';
import { parseTransaction } from '../validation/parsed-transaction.ts';
import type { BlockFiles } from './block-files.ts';
import { decodeEnvelopeRange } from './committed-transaction.ts';
import type { HistoryEntry, StateEntry, StateSnapshot, StateValue } from './ledger.ts';
import type { LevelSnapshot, StateDatabase } from './state-database.ts';
import { blockNumberOfHistory, historyRange } from './state-encoding.ts';

/** Values that are remembered for one height, up to this size each. */
const MAX_KEPT_VALUES = 1_000;
const MAX_KEPT_VALUE_BYTES = 4 * 1024;

/**
 * Snapshots of one ledger, as of the newest height. Transactions that begin at the same height read through the same snapshot
 * of LevelDB, which keeps what the snapshot sees; block files only grow.
 */
export class StateSnapshots {
  readonly #database: StateDatabase;
  readonly #blocks: BlockFiles;
  #newest: SharedSnapshot | undefined;

  constructor(database: StateDatabase, blocks: BlockFiles) {
    this.#database = database;
    this.#blocks = blocks;
  }

  open(): StateSnapshot {
    this.#newest ??= new SharedSnapshot(this.#database);
    return openShared(this.#newest, this.#database, this.#blocks);
  }

  /** The state has changed: who opens a snapshot from now on sees the change. */
  renew(): void {
    this.#newest?.release();
    this.#newest = undefined;
  }
}

/** One snapshot of LevelDB with its readers; it counts itself as long as it is the newest. */
class SharedSnapshot {
  readonly level: LevelSnapshot;
  readonly height: bigint;
  readonly #database: StateDatabase;
  readonly #values = new Map<string, StateValue | undefined>();
  #users = 1;

  constructor(database: StateDatabase) {
    this.#database = database;
    this.level = database.snapshotNow;
    this.height = database.savepoint(this.level).height;
  }

  use(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    // Fails only when the database is closed already, which has let go of the snapshot itself.
    if (this.#users === 0) this.level.close().catch(() => undefined);
  }

  get(namespace: string, key: string): StateValue | undefined {
    const name = `${namespace}\u0000${key}`;
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = this.#database.read(namespace, key, this.level);
    if (value !== undefined && value.value.length <= MAX_KEPT_VALUE_BYTES && this.#values.size < MAX_KEPT_VALUES) {
      this.#values.set(name, value);
    }
    return value;
  }
}

function openShared(shared: SharedSnapshot, database: StateDatabase, blocks: BlockFiles): StateSnapshot {
  shared.use();
  let released = false;
  const opened = (): SharedSnapshot => {
    if (released) throw new DevnetError('LEDGER_CLOSED', 'the state snapshot was released');
    return shared;
  };
  return {
    height: shared.height,
    get: (namespace, key) => new Promise((resolve) => resolve(opened().get(namespace, key))),
    range: (namespace, start, end): AsyncIterable<StateEntry> => database.range(namespace, start, end, opened().level),
    history: (namespace, key) => readHistory(database, blocks, opened().level, namespace, key),
    release: () => {
      if (released) return;
      released = true;
      shared.release();
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
