import { canonicalJson } from '../json/canonical.ts';
import { guardTransactionTime } from './guard.ts';
import type { StateKey } from './keys.ts';
import { decodeStored, type Stored } from './stored.ts';

/** The part of Fabric's stub that this chaincode uses to read and write. */
export interface StateAccess {
  getState(key: string): Promise<Uint8Array>;
  putState(key: string, value: Uint8Array): Promise<void>;
  getTxTimestamp(): { readonly seconds: { toNumber(): number }; readonly nanos: number };
}

/**
 * The world state as one transaction sees it. Fabric's reads do not see the transaction's own writes; these do. Each key is
 * asked for once. The first write checks the transaction's time (`guardTransactionTime`).
 */
export class Ledger {
  readonly #state: StateAccess;
  readonly #seen = new Map<string, Stored | undefined>();
  #guarded = false;

  constructor(state: StateAccess) {
    this.#state = state;
  }

  /** The value at a key, or undefined. */
  async get<T extends Stored>(key: StateKey<T>): Promise<T | undefined> {
    if (!this.#seen.has(key.key)) {
      const bytes = await this.#state.getState(key.key);
      this.#seen.set(key.key, bytes.length === 0 ? undefined : decodeStored(bytes));
    }
    return this.#seen.get(key.key) as T | undefined;
  }

  /** Writes a value. Throws `message-stale` when the transaction's time is off. */
  async put<T extends Stored>(key: StateKey<T>, value: T): Promise<void> {
    if (!this.#guarded) {
      guardTransactionTime(this.#state.getTxTimestamp());
      this.#guarded = true;
    }
    this.#seen.set(key.key, value);
    await this.#state.putState(key.key, Buffer.from(canonicalJson(value), 'utf8'));
  }
}
