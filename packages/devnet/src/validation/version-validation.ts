import { peer } from '@hyperledger/fabric-protos';
import type { StateEntry, Version } from '../ledger/ledger.ts';
import { compareKeys } from '../simulation/key-order.ts';
import { RangeReadsCollector, buildKVRead } from '../simulation/range-query-reads.ts';
import { sameVersion, toVersion, type ParsedNamespace, type RangeQueryInfo } from './parsed-read-write-set.ts';
import type { TxValidationCode } from './parsed-transaction.ts';
import type { UpdateBatch } from './update-batch.ts';

const Code = peer.TxValidationCode;

/** The committed state, as multi-version concurrency control looks at it. */
export interface VersionedState {
  versionOf(namespace: string, key: string): Version | undefined;
  range(namespace: string, start: string, end: string): AsyncIterable<StateEntry>;
  get(namespace: string, key: string): Promise<{ readonly version: Version } | undefined>;
}

interface VersionedKey {
  readonly key: string;
  readonly version: Version;
}

/**
 * Whether everything a transaction read is still so, against the committed state and the earlier valid transactions of the
 * block (core/ledger/kvledger/txmgmt/validation/validator.go).
 */
export async function validateVersions(
  namespaces: readonly ParsedNamespace[],
  updates: UpdateBatch,
  state: VersionedState,
): Promise<TxValidationCode> {
  for (const { namespace, reads, rangeQueries } of namespaces) {
    for (const { key, version } of reads) {
      if (updates.get(namespace, key) !== undefined || !sameVersion(state.versionOf(namespace, key), version)) {
        return Code.MVCC_READ_CONFLICT;
      }
    }
    for (const query of rangeQueries) {
      if (!(await isUnchanged(query, namespace, updates, state))) return Code.PHANTOM_READ_CONFLICT;
    }
  }
  return Code.VALID;
}

async function isUnchanged(
  query: RangeQueryInfo,
  namespace: string,
  updates: UpdateBatch,
  state: VersionedState,
): Promise<boolean> {
  const results = latestRange(query, namespace, updates, state);
  return query.getReadsMerkleHashes() === undefined ? matchesRawReads(query, results) : matchesSummary(query, results);
}

async function matchesRawReads(query: RangeQueryInfo, results: AsyncIterable<VersionedKey>): Promise<boolean> {
  const reads = query.getRawReads()?.getKvReadsList() ?? [];
  let index = 0;
  for await (const { key, version } of results) {
    const read = reads[index++];
    if (read?.getKey() !== key || !sameVersion(toVersion(read.getVersion()), version)) return false;
  }
  return index === reads.length;
}

async function matchesSummary(query: RangeQueryInfo, results: AsyncIterable<VersionedKey>): Promise<boolean> {
  const expected = query.getReadsMerkleHashes();
  if (expected === undefined || expected.getMaxDegree() < 2) return false;
  const collector = new RangeReadsCollector(expected.getMaxDegree());
  for await (const { key, version } of results) collector.add(buildKVRead(key, version));
  const found = collector.finish();
  return found.kind === 'summary' && Buffer.compare(found.summary.serializeBinary(), expected.serializeBinary()) === 0;
}

/**
 * The range as it is after the earlier transactions of the block. When the chaincode did not read to the end, the end key of
 * the query is the last key it saw, and belongs to the range.
 */
async function* latestRange(
  query: RangeQueryInfo,
  namespace: string,
  updates: UpdateBatch,
  state: VersionedState,
): AsyncGenerator<VersionedKey> {
  const start = query.getStartKey();
  const end = query.getEndKey();
  const changed = updates.range(namespace, start, end);
  let next = 0;
  for await (const entry of state.range(namespace, start, end)) {
    for (; ; next++) {
      const candidate = changed[next];
      if (candidate === undefined || compareKeys(candidate.key, entry.key) >= 0) break;
      if (candidate.update.value !== undefined) yield { key: candidate.key, version: candidate.update.version };
    }
    if (changed[next]?.key !== entry.key) yield { key: entry.key, version: entry.version };
  }
  for (const { key, update } of changed.slice(next)) {
    if (update.value !== undefined) yield { key, version: update.version };
  }
  if (!query.getItrExhausted()) {
    const last = await latestOf(namespace, end, updates, state);
    if (last !== undefined) yield last;
  }
}

async function latestOf(
  namespace: string,
  key: string,
  updates: UpdateBatch,
  state: VersionedState,
): Promise<VersionedKey | undefined> {
  const update = updates.get(namespace, key);
  if (update !== undefined) return update.value === undefined ? undefined : { key, version: update.version };
  const committed = await state.get(namespace, key);
  return committed === undefined ? undefined : { key, version: committed.version };
}
