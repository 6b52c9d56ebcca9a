import type { Version } from '../ledger/ledger.ts';
import { compareKeys } from '../simulation/key-order.ts';
import type { ParsedNamespace } from './parsed-read-write-set.ts';

/** The new state of one key; an undefined value deletes it. */
export interface Update {
  readonly value: Uint8Array | undefined;
  readonly metadata: ReadonlyMap<string, Uint8Array> | undefined;
  readonly version: Version;
}

/** What of a key is committed: enough to merge a write of only its value or only its metadata. */
export interface CommittedState {
  readonly value: Uint8Array;
  readonly metadata?: ReadonlyMap<string, Uint8Array>;
}

export type CommittedLookup = (namespace: string, key: string) => CommittedState | undefined;

/** Changes of the valid transactions of a block so far (core/ledger/kvledger/txmgmt/validation/tx_ops.go). */
export class UpdateBatch {
  readonly #namespaces = new Map<string, Map<string, Update>>();

  get(namespace: string, key: string): Update | undefined {
    return this.#namespaces.get(namespace)?.get(key);
  }

  put(namespace: string, key: string, update: Update): void {
    let updates = this.#namespaces.get(namespace);
    if (updates === undefined) {
      updates = new Map();
      this.#namespaces.set(namespace, updates);
    }
    updates.set(key, update);
  }

  /** Applies a transaction's writes; values and metadata that it leaves alone are taken from what is latest. */
  apply(namespaces: readonly ParsedNamespace[], version: Version, committed: CommittedLookup): void {
    for (const { namespace, writes, metadataWrites } of namespaces) {
      const metadataOf = new Map(metadataWrites.map(({ key, entries }) => [key, { entries }]));
      for (const { key, value } of writes) {
        const changed = metadataOf.get(key);
        metadataOf.delete(key);
        const metadata =
          value === undefined
            ? undefined
            : changed === undefined
              ? this.#latest(namespace, key, committed)?.metadata
              : changed.entries;
        this.put(namespace, key, { value, metadata, version });
      }
      for (const [key, { entries }] of metadataOf) {
        const value = this.#latest(namespace, key, committed)?.value;
        // Metadata of an absent key is dropped without a word, as in Fabric.
        if (value !== undefined) this.put(namespace, key, { value, metadata: entries, version });
      }
    }
  }

  /** Changed keys from `start` (inclusive) to `end` (exclusive; empty: to the end), in UTF-8 order, deletions included. */
  range(namespace: string, start: string, end: string): { readonly key: string; readonly update: Update }[] {
    const updates = this.#namespaces.get(namespace);
    if (updates === undefined) return [];
    return [...updates]
      .filter(([key]) => compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0))
      .sort(([a], [b]) => compareKeys(a, b))
      .map(([key, update]) => ({ key, update }));
  }

  /** Everything, namespaces and keys in UTF-8 order. */
  *entries(): IterableIterator<{ readonly namespace: string; readonly key: string; readonly update: Update }> {
    for (const namespace of [...this.#namespaces.keys()].sort(compareKeys)) {
      for (const { key, update } of this.range(namespace, '', '')) yield { namespace, key, update };
    }
  }

  #latest(
    namespace: string,
    key: string,
    committed: CommittedLookup,
  ): { value: Uint8Array | undefined; metadata?: ReadonlyMap<string, Uint8Array> | undefined } | undefined {
    return this.get(namespace, key) ?? committed(namespace, key);
  }
}
