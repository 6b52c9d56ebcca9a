import { ClassicLevel } from 'classic-level';
import { DevnetError, levelCodeOf } from '../errors.ts';
import type { StateKey } from '../validation/block-validation.ts';
import type { StateEntry, StateValue } from './ledger.ts';
import {
  BLOCK_KEYS,
  SAVEPOINT_KEY,
  decodeStateValue,
  keyOfState,
  stateKey,
  stateRange,
  transactionKey,
} from './state-encoding.ts';

type Level = ClassicLevel<Uint8Array, Uint8Array>;
export type LevelSnapshot = ReturnType<Level['snapshot']>;
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

const READ_AHEAD = 200;

/** How far the database is: the block files may be ahead of it, never behind. */
export interface Savepoint {
  readonly height: bigint;
}

/** State, history and transaction index of one peer, in LevelDB. It can always be made again from the block files. */
export class StateDatabase {
  readonly #level: Level;

  private constructor(level: Level) {
    this.#level = level;
  }

  /** Opens or makes the database. Throws DevnetError LEDGER_LOCKED when another process has it. */
  static async open(dir: string): Promise<StateDatabase> {
    try {
      return new StateDatabase(await openLevel(dir));
    } catch (error) {
      const code = levelCodeOf(error);
      if (code === 'LEVEL_LOCKED') {
        throw new DevnetError('LEDGER_LOCKED', 'the ledger is in use by another process', { cause: error });
      }
      if (code !== 'LEVEL_CORRUPTION') throw error;
      await ClassicLevel.destroy(dir);
      return new StateDatabase(await openLevel(dir));
    }
  }

  get snapshotNow(): LevelSnapshot {
    return this.#level.snapshot();
  }

  savepoint(snapshot?: LevelSnapshot): Savepoint {
    const stored = this.#level.getSync(SAVEPOINT_KEY, snapshot === undefined ? {} : { snapshot });
    if (stored === undefined) return { height: 0n };
    return { height: Buffer.from(stored).readBigUInt64BE() };
  }

  /** The marks of all blocks, in order: header hashes. */
  async blockMarks(): Promise<Uint8Array[]> {
    return this.#level.values(BLOCK_KEYS).all();
  }

  get(namespace: string, key: string): Promise<StateValue | undefined> {
    return Promise.resolve(this.read(namespace, key));
  }

  /** Reads in this thread: a key that is in memory costs a tenth of what the way through the thread pool does. */
  read(namespace: string, key: string, snapshot?: LevelSnapshot): StateValue | undefined {
    const databaseKey = stateKey(namespace, key);
    const stored = this.#level.getSync(databaseKey, snapshot === undefined ? {} : { snapshot });
    return stored === undefined ? undefined : decodeStateValue(databaseKey, stored);
  }

  async getMany(keys: readonly StateKey[]): Promise<(StateValue | undefined)[]> {
    const databaseKeys = keys.map(({ namespace, key }) => stateKey(namespace, key));
    const stored = await this.#level.getMany(databaseKeys);
    return databaseKeys.map((databaseKey, index) => {
      const bytes = stored[index];
      return bytes === undefined ? undefined : decodeStateValue(databaseKey, bytes);
    });
  }

  async *range(
    namespace: string,
    start: string,
    end: string,
    snapshot?: LevelSnapshot,
  ): AsyncGenerator<StateEntry, void, undefined> {
    for await (const [databaseKey, stored] of this.#entries({ ...stateRange(namespace, start, end) }, snapshot)) {
      yield { key: keyOfState(databaseKey, namespace), ...decodeStateValue(databaseKey, stored) };
    }
  }

  transaction(txId: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#level.getSync(transactionKey(txId)));
  }

  knownTransactions(txIds: readonly string[]): Promise<boolean[]> {
    return this.#level.hasMany(txIds.map(transactionKey));
  }

  /** Entries of a range of raw keys, read in portions. */
  async *#entries(
    range: { gte: Uint8Array; lt: Uint8Array; reverse?: boolean },
    snapshot?: LevelSnapshot,
  ): AsyncGenerator<[Uint8Array, Uint8Array], void, undefined> {
    const iterator = this.#level.iterator({ ...range, ...(snapshot === undefined ? {} : { snapshot }) });
    try {
      for (;;) {
        const entries = await iterator.nextv(READ_AHEAD);
        if (entries.length === 0) return;
        yield* entries;
      }
    } finally {
      await iterator.close();
    }
  }

  rawRange(
    range: { gte: Uint8Array; lt: Uint8Array; reverse?: boolean },
    snapshot: LevelSnapshot,
  ): AsyncGenerator<[Uint8Array, Uint8Array], void, undefined> {
    return this.#entries(range, snapshot);
  }

  /** All or nothing. Not synced: what a power cut takes is replayed from the block files. */
  async write(operations: Operation[]): Promise<void> {
    await this.#level.batch(operations);
  }

  /** Forgets everything, to be replayed. */
  async clear(): Promise<void> {
    await this.#level.clear();
  }

  async close(): Promise<void> {
    await this.#level.close();
  }
}

async function openLevel(dir: string): Promise<Level> {
  const level: Level = new ClassicLevel(dir, { keyEncoding: 'view', valueEncoding: 'view' });
  await level.open();
  return level;
}
