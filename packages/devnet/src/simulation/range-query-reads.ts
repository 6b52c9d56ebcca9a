import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import type { Version } from '../ledger/ledger.ts';

const { kvrwset } = ledger.rwset;

/** Above this many results a range read is summarised by hashes (Fabric: maxDegreeQueryReadsHashing). */
const MAX_DEGREE = 50;

/** What a range read leaves in the read set: each key and version, or a Merkle summary of them. */
export type RangeReads =
  | { readonly kind: 'raw'; readonly reads: readonly ledger.rwset.kvrwset.KVRead[] }
  | { readonly kind: 'summary'; readonly summary: ledger.rwset.kvrwset.QueryReadsMerkleSummary };

export function buildKVRead(key: string, version: Version | undefined): ledger.rwset.kvrwset.KVRead {
  const read = new kvrwset.KVRead();
  read.setKey(key);
  if (version !== undefined) {
    const stored = new kvrwset.Version();
    stored.setBlockNum(Number(version.blockNumber));
    stored.setTxNum(Number(version.txNumber));
    read.setVersion(stored);
  }
  return read;
}

/**
 * Collects the results of one range read (Fabric: core/ledger/kvledger/txmgmt/rwsetutil/query_results_helper.go). Groups of
 * `maxDegree` + 1 results are hashed into leaves, groups of `maxDegree` + 1 hashes into the next level, until at most
 * `maxDegree` hashes are left. Endorsers write the summary, committers compute it again to find phantoms.
 */
export class RangeReadsCollector {
  readonly #maxDegree: number;
  #pending: ledger.rwset.kvrwset.KVRead[] = [];
  /** Hashes by level; index 0 is the leaf level, which Fabric calls 1. */
  readonly #levels: Uint8Array[][] = [];

  constructor(maxDegree: number = MAX_DEGREE) {
    this.#maxDegree = maxDegree;
  }

  add(read: ledger.rwset.kvrwset.KVRead): void {
    this.#pending.push(read);
    if (this.#pending.length > this.#maxDegree) this.#hashPending();
  }

  finish(): RangeReads {
    if (this.#levels.length === 0) return { kind: 'raw', reads: this.#pending };
    if (this.#pending.length > 0) this.#hashPending();
    this.#closeLevels();
    const summary = new kvrwset.QueryReadsMerkleSummary();
    summary.setMaxDegree(this.#maxDegree);
    summary.setMaxLevel(this.#levels.length);
    summary.setMaxLevelHashesList(this.#levels.at(-1) ?? []);
    return { kind: 'summary', summary };
  }

  #hashPending(): void {
    const group = new kvrwset.QueryReads();
    group.setKvReadsList(this.#pending);
    this.#pending = [];
    this.#push(0, sha256([group.serializeBinary()]));
  }

  #push(level: number, hash: Uint8Array): void {
    const hashes = (this.#levels[level] ??= []);
    hashes.push(hash);
    if (hashes.length > this.#maxDegree) {
      this.#levels[level] = [];
      this.#push(level + 1, sha256(hashes));
    }
  }

  /** Carries what is left on lower levels up to the highest one. */
  #closeLevels(): void {
    for (let level = 0; level < this.#levels.length - 1; level++) {
      const hashes = this.#levels[level] ?? [];
      const [first] = hashes;
      if (first === undefined) continue;
      this.#levels[level] = [];
      this.#levels[level + 1]?.push(hashes.length === 1 ? first : sha256(hashes));
    }
    const top = this.#levels.at(-1) ?? [];
    if (top.length > this.#maxDegree) this.#levels.push([sha256(top)]);
  }
}

function sha256(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
