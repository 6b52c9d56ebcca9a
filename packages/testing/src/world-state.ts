/** A world state in memory, with the checks that Fabric makes at commit. */

/** What an invocation answered, read and would write. Nothing is written until `WorldState.commit`. */
export interface ShimOutcome {
  readonly txId: string;
  readonly timestampMs: number;
  readonly status: number;
  readonly message: string;
  readonly payload: Uint8Array;
  readonly event?: { readonly name: string; readonly payload: Uint8Array };
  /** Key → version read, undefined when it was absent. */
  readonly reads: ReadonlyMap<string, number | undefined>;
  /** Key → value, undefined for a deletion; in the order of first writing. */
  readonly writes: ReadonlyMap<string, Uint8Array | undefined>;
  /** Ranges read, each with the keys and versions seen. */
  readonly ranges: readonly ShimRangeRead[];
}

/** One range read. */
export interface ShimRangeRead {
  readonly start: string;
  readonly end: string;
  readonly seen: readonly (readonly [key: string, version: number])[];
}

/** How a transaction was committed. */
export type ShimValidation = 'VALID' | 'MVCC_READ_CONFLICT' | 'PHANTOM_READ_CONFLICT';

interface StoredValue {
  readonly value: Uint8Array;
  readonly version: number;
}

interface Modification {
  readonly txId: string;
  readonly timestampMs: number;
  readonly value: Uint8Array | undefined;
}

/** A world state in memory with Fabric's checks at commit. */
export interface WorldState {
  get(key: string): StoredValue | undefined;
  /** Keys in UTF-8 byte order, `start` inclusive, `end` exclusive; an empty `end` is no bound. */
  range(start: string, end: string): readonly (readonly [key: string, value: StoredValue])[];
  /** Newest first. */
  history(key: string): readonly Modification[];
  /** Applies the writes unless something that was read has changed since. */
  commit(outcome: ShimOutcome): ShimValidation;
  readonly size: number;
}

/** Makes an empty world state. */
export function createWorldState(): WorldState {
  const values = new Map<string, StoredValue>();
  const modifications = new Map<string, Modification[]>();
  let version = 0;
  const range: WorldState['range'] = (start, end) =>
    [...values]
      .filter(([key]) => compareUtf8(key, start) >= 0 && (end === '' || compareUtf8(key, end) < 0))
      .sort(([a], [b]) => compareUtf8(a, b));
  return {
    get: (key) => values.get(key),
    range,
    history: (key) => [...(modifications.get(key) ?? [])].reverse(),
    get size() {
      return values.size;
    },
    commit(outcome) {
      for (const [key, seen] of outcome.reads) {
        if (values.get(key)?.version !== seen) return 'MVCC_READ_CONFLICT';
      }
      for (const { start, end, seen } of outcome.ranges) {
        const now = range(start, end).map(([key, value]) => [key, value.version] as const);
        if (JSON.stringify(now) !== JSON.stringify(seen)) return 'PHANTOM_READ_CONFLICT';
      }
      version++;
      for (const [key, value] of outcome.writes) {
        if (value === undefined) values.delete(key);
        else values.set(key, { value, version });
        const entry = { txId: outcome.txId, timestampMs: outcome.timestampMs, value };
        modifications.set(key, [...(modifications.get(key) ?? []), entry]);
      }
      return 'VALID';
    },
  };
}

/** The order of keys in a state database: by UTF-8 bytes, not by UTF-16 units. */
function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
