import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ledger/ledger.ts';
import { sortedByKey } from './key-order.ts';
import { buildKVRead } from './range-query-reads.ts';

const { kvrwset, NsReadWriteSet, TxReadWriteSet } = ledger.rwset;

interface NamespaceSets {
  readonly reads: Map<string, ledger.rwset.kvrwset.KVRead>;
  readonly writes: Map<string, ledger.rwset.kvrwset.KVWrite>;
  readonly metadataWrites: Map<string, ledger.rwset.kvrwset.KVMetadataWrite>;
  /** In the order of the queries; one entry per (start, end, exhausted). */
  readonly rangeQueries: Map<string, ledger.rwset.kvrwset.RangeQueryInfo>;
}

/**
 * Gathers what a transaction read and wrote and serialises it the same way on every endorser: namespaces and keys in UTF-8
 * order (Fabric: core/ledger/kvledger/txmgmt/rwsetutil/rwset_builder.go).
 */
export class ReadWriteSetBuilder {
  readonly #namespaces = new Map<string, NamespaceSets>();

  addRead(namespace: string, key: string, version: Version | undefined): void {
    this.#of(namespace).reads.set(key, buildKVRead(key, version));
  }

  /** An empty value deletes, as in Fabric. */
  addWrite(namespace: string, key: string, value: Uint8Array): void {
    const write = new kvrwset.KVWrite();
    write.setKey(key);
    if (value.length === 0) write.setIsDelete(true);
    else write.setValue(value);
    this.#of(namespace).writes.set(key, write);
  }

  addMetadataWrite(namespace: string, key: string, metadata: ReadonlyMap<string, Uint8Array>): void {
    const write = new kvrwset.KVMetadataWrite();
    write.setKey(key);
    write.setEntriesList(
      sortedByKey(
        new Map(
          [...metadata].map(([name, value]) => {
            const entry = new kvrwset.KVMetadataEntry();
            entry.setName(name);
            entry.setValue(value);
            return [name, entry];
          }),
        ),
      ),
    );
    this.#of(namespace).metadataWrites.set(key, write);
  }

  addRangeQuery(namespace: string, query: ledger.rwset.kvrwset.RangeQueryInfo): void {
    const id = JSON.stringify([query.getStartKey(), query.getEndKey(), query.getItrExhausted()]);
    const queries = this.#of(namespace).rangeQueries;
    if (!queries.has(id)) queries.set(id, query);
  }

  /** Names of all namespaces read or written. */
  get namespaces(): readonly string[] {
    return [...this.#namespaces.keys()];
  }

  /** `rwset.TxReadWriteSet` bytes. */
  build(): Uint8Array {
    const set = new TxReadWriteSet();
    set.setDataModel(TxReadWriteSet.DataModel.KV);
    set.setNsRwsetList(
      sortedByKey(
        new Map([...this.#namespaces].map(([namespace, sets]) => [namespace, buildNamespace(namespace, sets)])),
      ),
    );
    return set.serializeBinary();
  }

  #of(namespace: string): NamespaceSets {
    let sets = this.#namespaces.get(namespace);
    if (sets === undefined) {
      sets = { reads: new Map(), writes: new Map(), metadataWrites: new Map(), rangeQueries: new Map() };
      this.#namespaces.set(namespace, sets);
    }
    return sets;
  }
}

function buildNamespace(namespace: string, sets: NamespaceSets): ledger.rwset.NsReadWriteSet {
  const kvSet = new kvrwset.KVRWSet();
  kvSet.setReadsList(sortedByKey(sets.reads));
  kvSet.setRangeQueriesInfoList([...sets.rangeQueries.values()]);
  kvSet.setWritesList(sortedByKey(sets.writes));
  kvSet.setMetadataWritesList(sortedByKey(sets.metadataWrites));
  const nsSet = new NsReadWriteSet();
  nsSet.setNamespace(namespace);
  nsSet.setRwset(kvSet.serializeBinary());
  return nsSet;
}
