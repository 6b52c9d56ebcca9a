import type { WaymarkError } from '@waymark/protocol';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { blockKey, rawCode, sha256Code } from '../block/content-cid.ts';
import { abnormal, matchesCid, missing } from '../block/verify.ts';
import { maxBlockSizeBytes } from '../store/limits.ts';
import type { BlockIndex } from './block-index.ts';
import { ioFault } from '@waymark/durable-files';
import type { BlockLocation, SegmentFiles } from './segment-files.ts';

/** One of the blocks asked for, or why it cannot be given. */
export type ReadOutcome = Uint8Array | WaymarkError;

interface Wanted {
  readonly at: number;
  readonly cid: CID;
  readonly location: BlockLocation;
}

/** Blocks that lie together and are fetched by one read. */
interface Run {
  readonly segment: number;
  readonly start: number;
  end: number;
  readonly wanted: Wanted[];
}

const source = 'embedded';
const maxGapSizeBytes = 16 * 1024;
const maxRunSizeBytes = 1024 * 1024;
const checkBatchBlocks = 32;

/** Reads what the index points to, and passes on only what hashes to the CID asked for (S7). */
export class StoredBlocks {
  readonly #index: BlockIndex;
  readonly #segments: SegmentFiles;

  constructor(index: BlockIndex, segments: SegmentFiles) {
    this.#index = index;
    this.#segments = segments;
  }

  /** @throws `unavailable`, `data-abnormal` */
  async get(cid: CID): Promise<Uint8Array> {
    const [outcome] = await this.getMany([cid]);
    if (outcome instanceof Uint8Array) return outcome;
    throw outcome ?? missing(cid, source);
  }

  /** Reads several blocks at once, in the order asked for; neighbours on disk share one read. */
  async getMany(cids: readonly CID[]): Promise<ReadOutcome[]> {
    const locations = await this.#index.getMany(cids.map(blockKey));
    const outcomes: ReadOutcome[] = [];
    const wanted: Wanted[] = [];
    for (const [at, cid] of cids.entries()) {
      const location = locations[at];
      if (location === undefined) outcomes[at] = missing(cid, source);
      else if (location.sizeBytes > maxBlockSizeBytes) outcomes[at] = abnormal(cid, source, 'index');
      else wanted.push({ at, cid, location });
    }
    await Promise.all(runsOf(wanted).map((run) => this.#read(run, outcomes)));
    return outcomes;
  }

  async hasMany(digests: readonly Uint8Array[]): Promise<boolean[]> {
    return await this.#index.hasMany(digests);
  }

  /** For each digest, whether the block is here and reads back as it should. */
  async intact(digests: readonly Uint8Array[]): Promise<boolean[]> {
    const intact: boolean[] = [];
    for (let at = 0; at < digests.length; at += checkBatchBlocks) {
      const batch = digests.slice(at, at + checkBatchBlocks);
      const outcomes = await this.getMany(
        batch.map((digest) => CID.createV1(rawCode, createDigest(sha256Code, digest))),
      );
      intact.push(...outcomes.map((outcome) => outcome instanceof Uint8Array));
    }
    return intact;
  }

  async #read(run: Run, outcomes: ReadOutcome[]): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#segments.read({ segment: run.segment, payloadAt: run.start, sizeBytes: run.end - run.start });
    } catch (cause) {
      const fault = ioFault('The segment that holds the block cannot be read.', cause);
      for (const { at } of run.wanted) outcomes[at] = fault;
      return;
    }
    for (const { at, cid, location } of run.wanted) {
      const from = location.payloadAt - run.start;
      const payload = bytes.subarray(from, from + location.sizeBytes);
      // Alone in its run a block owns the memory; among others it is copied, so that keeping one does not keep them all.
      if (payload.length < location.sizeBytes) outcomes[at] = abnormal(cid, source, 'truncated');
      else if (!matchesCid(cid, payload)) outcomes[at] = abnormal(cid, source, 'hash-mismatch');
      else outcomes[at] = run.wanted.length === 1 ? payload : Uint8Array.from(payload);
    }
  }
}

function runsOf(wanted: readonly Wanted[]): Run[] {
  const sorted = [...wanted].sort(
    ({ location: a }, { location: b }) =>
      a.segment - b.segment || a.payloadAt - b.payloadAt || a.sizeBytes - b.sizeBytes,
  );
  const runs: Run[] = [];
  for (const one of sorted) {
    const { segment, payloadAt, sizeBytes } = one.location;
    const end = payloadAt + sizeBytes;
    const last = runs.at(-1);
    const joins =
      last?.segment === segment && payloadAt - last.end <= maxGapSizeBytes && end - last.start <= maxRunSizeBytes;
    if (joins) {
      last.end = Math.max(last.end, end);
      last.wanted.push(one);
    } else {
      runs.push({ segment, start: payloadAt, end, wanted: [one] });
    }
  }
  return runs;
}
