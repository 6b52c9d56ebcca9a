import type { HistoryEntry, StateEntry, StateSnapshot, StateValue } from '../../src/ledger/index.ts';
import { compareKeys } from '../../src/simulation/index.ts';

/** A ledger's state in memory, for what needs only the reading side. */
export class MemoryState implements StateSnapshot {
  readonly height = 7n;
  released = 0;
  readonly #values = new Map<string, Map<string, StateValue>>();
  readonly #history = new Map<string, HistoryEntry[]>();

  put(namespace: string, key: string, value: string, metadata?: Record<string, Uint8Array>): this {
    const keys = this.#values.get(namespace) ?? new Map<string, StateValue>();
    this.#values.set(namespace, keys);
    keys.set(key, {
      value: Buffer.from(value),
      version: { blockNumber: 3n, txNumber: BigInt(keys.size) },
      ...(metadata === undefined ? {} : { metadata: new Map(Object.entries(metadata)) }),
    });
    return this;
  }

  addHistory(namespace: string, key: string, entry: HistoryEntry): this {
    const id = `${namespace}/${key}`;
    this.#history.set(id, [...(this.#history.get(id) ?? []), entry]);
    return this;
  }

  get(namespace: string, key: string): Promise<StateValue | undefined> {
    return Promise.resolve(this.#values.get(namespace)?.get(key));
  }

  async *range(namespace: string, start: string, end: string): AsyncGenerator<StateEntry, void> {
    const keys = [...(this.#values.get(namespace) ?? [])].sort(([a], [b]) => compareKeys(a, b));
    for (const [key, value] of keys) {
      await Promise.resolve();
      if (compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0)) yield { key, ...value };
    }
  }

  async *history(namespace: string, key: string): AsyncGenerator<HistoryEntry, void> {
    for (const entry of this.#history.get(`${namespace}/${key}`) ?? []) {
      await Promise.resolve();
      yield entry;
    }
  }

  release(): void {
    this.released++;
  }
}
