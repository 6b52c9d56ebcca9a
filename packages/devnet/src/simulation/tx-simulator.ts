import { ledger } from '@hyperledger/fabric-protos';
import type { HistoryEntry, StateEntry, StateSnapshot, StateValue } from '../ledger/ledger.ts';
import { RangeReadsCollector, buildKVRead } from './range-query-reads.ts';
import { ReadWriteSetBuilder } from './read-write-set.ts';

const { kvrwset } = ledger.rwset;

/** One result after the other; `close` may be called at any time and more than once. */
export interface ResultsIterator<T> {
  next(): Promise<T | undefined>;
  close(): Promise<void>;
}

export interface SimulationResults {
  /** `rwset.TxReadWriteSet` bytes. */
  readonly readWriteSet: Uint8Array;
  /** All namespaces read or written. */
  readonly namespaces: readonly string[];
  /** Namespace → written key → its committed metadata (none: an empty map). Key-level policies are among them. */
  readonly writtenMetadata: ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>>;
}

/** More fits into no message between a peer and its clients. */
const MAX_WRITTEN_BYTES = 100 * 1024 * 1024;
const NO_METADATA: ReadonlyMap<string, Uint8Array> = new Map();

/**
 * Runs one transaction against a point in time: records what is read with its version, keeps what is written to itself
 * (reads never see the transaction's own writes). Error texts are Fabric's, typos included
 * (core/ledger/kvledger/txmgmt/txmgr/tx_simulator.go).
 */
export class TxSimulator {
  readonly #txId: string;
  readonly #snapshot: StateSnapshot;
  readonly #builder = new ReadWriteSetBuilder();
  readonly #queries: RangeQuery[] = [];
  readonly #writtenMetadata = new Map<string, Map<string, ReadonlyMap<string, Uint8Array>>>();
  readonly #values = new Map<string, Promise<StateValue | undefined>>();
  #writePerformed = false;
  #writtenBytes = 0;
  #pagedQueryPerformed = false;
  #done = false;

  /** The simulator owns the snapshot and releases it in `done`. */
  constructor(txId: string, snapshot: StateSnapshot) {
    this.#txId = txId;
    this.#snapshot = snapshot;
  }

  async getState(namespace: string, key: string): Promise<StateValue | undefined> {
    this.#checkDone();
    const stored = await this.#value(namespace, key);
    this.#builder.addRead(namespace, key, stored?.version);
    return stored;
  }

  async putState(namespace: string, key: string, value: Uint8Array): Promise<void> {
    this.#checkWrite();
    this.#writtenBytes += key.length + value.length;
    if (this.#writtenBytes > MAX_WRITTEN_BYTES) {
      throw new Error(`txid [${this.#txId}]: the transaction writes more than ${MAX_WRITTEN_BYTES} bytes`);
    }
    this.#builder.addWrite(namespace, key, value);
    await this.#rememberMetadata(namespace, key);
  }

  deleteState(namespace: string, key: string): Promise<void> {
    return this.putState(namespace, key, new Uint8Array());
  }

  async putMetadata(namespace: string, key: string, metadata: ReadonlyMap<string, Uint8Array>): Promise<void> {
    this.#checkWrite();
    this.#builder.addMetadataWrite(namespace, key, metadata);
    await this.#rememberMetadata(namespace, key);
  }

  /** Reads from `start` up to and without `end`; what was taken out of the iterator ends up in the read set. */
  rangeQuery(namespace: string, start: string, end: string): ResultsIterator<StateEntry> {
    this.#checkDone();
    return this.#openRange(namespace, start, end, 0);
  }

  /** As `rangeQuery`, at most `pageSize` results; only in a transaction that writes nothing. */
  pagedRangeQuery(namespace: string, start: string, end: string, pageSize: number): PagedIterator {
    if (this.#writePerformed) {
      throw new Error(
        `txid [${this.#txId}]: unsuppored transaction. Paginated queries are supported only in a read-only transaction`,
      );
    }
    this.#pagedQueryPerformed = true;
    this.#checkDone();
    return this.#openRange(namespace, start, end, pageSize);
  }

  /** Newest first. Histories leave no trace in the read set, as in Fabric. */
  history(namespace: string, key: string): ResultsIterator<HistoryEntry> {
    this.#checkDone();
    const entries = this.#snapshot.history(namespace, key)[Symbol.asyncIterator]();
    return {
      next: async () => {
        const result = await entries.next();
        return result.done === true ? undefined : result.value;
      },
      close: async () => {
        await entries.return?.();
      },
    };
  }

  /** Call once, after the chaincode has answered. */
  results(): SimulationResults {
    this.#checkDone();
    for (const query of this.#queries) this.#builder.addRangeQuery(query.namespace, query.info());
    return {
      readWriteSet: this.#builder.build(),
      namespaces: this.#builder.namespaces,
      writtenMetadata: this.#writtenMetadata,
    };
  }

  /** Closes iterators and lets go of the snapshot. May be called more than once. */
  async done(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await Promise.all(this.#queries.map((query) => query.close()));
    this.#snapshot.release();
  }

  #openRange(namespace: string, start: string, end: string, pageSize: number): RangeQuery {
    const query = new RangeQuery(this.#snapshot, namespace, start, end, pageSize);
    this.#queries.push(query);
    return query;
  }

  #value(namespace: string, key: string): Promise<StateValue | undefined> {
    const id = `${namespace}\u0000${key}`;
    let value = this.#values.get(id);
    if (value === undefined) {
      value = this.#snapshot.get(namespace, key);
      this.#values.set(id, value);
    }
    return value;
  }

  async #rememberMetadata(namespace: string, key: string): Promise<void> {
    const metadata = (await this.#value(namespace, key))?.metadata ?? NO_METADATA;
    let keys = this.#writtenMetadata.get(namespace);
    if (keys === undefined) {
      keys = new Map<string, ReadonlyMap<string, Uint8Array>>();
      this.#writtenMetadata.set(namespace, keys);
    }
    keys.set(key, metadata);
  }

  #checkWrite(): void {
    this.#checkDone();
    if (this.#pagedQueryPerformed) {
      throw new Error(
        `txid [${this.#txId}]: unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed`,
      );
    }
    this.#writePerformed = true;
  }

  #checkDone(): void {
    if (this.#done) throw new Error('this instance should not be used after calling Done()');
  }
}

/** A range read that can say where the next page starts. */
export interface PagedIterator extends ResultsIterator<StateEntry> {
  /** The key after the last one taken, or empty at the end; closes the iterator. */
  bookmarkAndClose(): Promise<string>;
}

class RangeQuery implements PagedIterator {
  readonly namespace: string;
  readonly #start: string;
  readonly #end: string;
  readonly #pageSize: number;
  readonly #entries: AsyncIterator<StateEntry>;
  readonly #collector = new RangeReadsCollector();
  #lastKey = '';
  #taken = 0;
  #exhausted = false;
  #closed = false;

  constructor(snapshot: StateSnapshot, namespace: string, start: string, end: string, pageSize: number) {
    this.namespace = namespace;
    this.#start = start;
    this.#end = end;
    this.#pageSize = pageSize;
    this.#entries = snapshot.range(namespace, start, end)[Symbol.asyncIterator]();
  }

  async next(): Promise<StateEntry | undefined> {
    const pageFull = this.#pageSize > 0 && this.#taken >= this.#pageSize;
    const result = pageFull || this.#closed ? undefined : await this.#entries.next();
    if (result === undefined || result.done === true) {
      this.#exhausted = true;
      return undefined;
    }
    this.#taken++;
    this.#lastKey = result.value.key;
    this.#collector.add(buildKVRead(result.value.key, result.value.version));
    return result.value;
  }

  async bookmarkAndClose(): Promise<string> {
    const following = this.#closed ? undefined : await this.#entries.next();
    await this.close();
    return following === undefined || following.done === true ? '' : following.value.key;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#entries.return?.();
  }

  /**
   * The end is the last key taken, unless the caller saw the end of the range: whatever lies behind it may change without
   * making the transaction a phantom read.
   */
  info(): ledger.rwset.kvrwset.RangeQueryInfo {
    const info = new kvrwset.RangeQueryInfo();
    info.setStartKey(this.#start);
    info.setEndKey(this.#exhausted ? this.#end : this.#lastKey);
    info.setItrExhausted(this.#exhausted);
    const reads = this.#collector.finish();
    if (reads.kind === 'summary') info.setReadsMerkleHashes(reads.summary);
    else if (reads.reads.length > 0) {
      const raw = new kvrwset.QueryReads();
      raw.setKvReadsList([...reads.reads]);
      info.setRawReads(raw);
    }
    return info;
  }
}
