import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ledger/ledger.ts';

const { kvrwset, TxReadWriteSet } = ledger.rwset;

export interface ParsedRead {
  readonly key: string;
  /** Undefined: the key was absent. */
  readonly version: Version | undefined;
}

export interface ParsedWrite {
  readonly key: string;
  /** Undefined: the key is deleted. An empty value deletes as well, as in Fabric. */
  readonly value: Uint8Array | undefined;
}

export interface ParsedMetadataWrite {
  readonly key: string;
  /** Undefined: all metadata of the key is removed. */
  readonly entries: ReadonlyMap<string, Uint8Array> | undefined;
}

export type RangeQueryInfo = ledger.rwset.kvrwset.RangeQueryInfo;

/** What a transaction read and wrote in one namespace. */
export interface ParsedNamespace {
  readonly namespace: string;
  readonly reads: readonly ParsedRead[];
  readonly rangeQueries: readonly RangeQueryInfo[];
  readonly writes: readonly ParsedWrite[];
  readonly metadataWrites: readonly ParsedMetadataWrite[];
  /** Private data was touched, which devnet does not have. */
  readonly hasCollections: boolean;
}

/** Reads `rwset.TxReadWriteSet` bytes. Throws when they cannot be read. */
export function parseReadWriteSet(bytes: Uint8Array): ParsedNamespace[] {
  return TxReadWriteSet.deserializeBinary(bytes)
    .getNsRwsetList()
    .map((set) => {
      const kv = kvrwset.KVRWSet.deserializeBinary(set.getRwset_asU8());
      return {
        namespace: set.getNamespace(),
        reads: kv.getReadsList().map((read) => ({ key: read.getKey(), version: toVersion(read.getVersion()) })),
        rangeQueries: kv.getRangeQueriesInfoList(),
        writes: kv.getWritesList().map((write) => {
          const value = write.getValue_asU8();
          return { key: write.getKey(), value: write.getIsDelete() || value.length === 0 ? undefined : value };
        }),
        metadataWrites: kv.getMetadataWritesList().map((write) => {
          const entries = write.getEntriesList();
          return {
            key: write.getKey(),
            entries:
              entries.length === 0
                ? undefined
                : new Map(entries.map((entry) => [entry.getName(), entry.getValue_asU8()])),
          };
        }),
        hasCollections: set.getCollectionHashedRwsetList().length > 0,
      };
    });
}

export function toVersion(version: ledger.rwset.kvrwset.Version | undefined): Version | undefined {
  if (version === undefined) return undefined;
  return { blockNumber: BigInt(version.getBlockNum()), txNumber: BigInt(version.getTxNum()) };
}

export function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.blockNumber === b.blockNumber && a.txNumber === b.txNumber;
}
