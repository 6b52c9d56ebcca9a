import { join } from 'node:path';
import { ioFault, type Level, nodeFileSystem, openIndex, type StoreFileSystem, takeLock } from '@waymark/durable-files';
import type { CID } from 'multiformats/cid';
import { blockKey, requireContentCid } from '../block/content-cid.ts';
import { missing, requireBlockForm, requireStorable } from '../block/verify.ts';
import { carSection } from '../car/framing.ts';
import { checkHeld } from '../dag/check-held.ts';
import { addUnixfsFile, catUnixfsFile } from '../files/unixfs.ts';
import { chunksOf } from '../store/chunks.ts';
import { closedError } from '../store/closed.ts';
import type {
  Block,
  BlockStream,
  ByteStream,
  ContentStore,
  ContentStoreStats,
  HeldOptions,
  HeldReport,
  PutOptions,
  PutResult,
  ReadOptions,
} from '../store/content-store.ts';
import { withDeadline } from '../store/deadline.ts';
import { readTogetherBlocks } from '../store/limits.ts';
import { readMany } from '../store/read-many.ts';
import { BlockIndex } from './block-index.ts';
import { requireComplete } from './dag-completeness.ts';
import { GroupCommit, type PendingBlock } from './group-commit.ts';
import { PinLog } from './pin-log.ts';
import { type OpenReport, recover } from './recovery.ts';
import { SegmentFiles } from './segment-files.ts';
import { SegmentWriter } from './segment-writer.ts';
import { StoredBlocks } from './stored-blocks.ts';

export interface EmbeddedStoreOptions {
  /** Made when it does not exist; belongs to this store alone. */
  readonly folder: string;
  /** A segment is closed when the next write would make it larger than this. Default 256 MiB. */
  readonly maxSegmentSizeBytes?: number | undefined;
  /** Makes the index again from the segments even when it looks sound. */
  readonly rebuildIndex?: boolean | undefined;
  /** For tests: a file system with faults. */
  readonly fileSystem?: StoreFileSystem | undefined;
}

export interface EmbeddedContentStore extends ContentStore {
  /** What opening found: a torn tail cut, damage met, an index made again. */
  readonly openReport: OpenReport;
}

const chunksInFlight = 2;
const owner = 'the content store';

/**
 * Opens the embedded content store: blocks in append-only CARv1 segments, an index in LevelDB, pins in a log. One
 * process at a time may have a folder open.
 * @throws `unavailable` (reason `locked`: another process has it; `io-fault` and others: the disk)
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedContentStore> {
  const files = options.fileSystem ?? nodeFileSystem;
  const segments = new SegmentFiles(files, join(options.folder, 'segments'));
  let lock: Level | undefined;
  let level: Level | undefined;
  try {
    await files.makeFolder(segments.folder);
    lock = await takeLock(join(options.folder, 'lock'), owner);
    const indexFolder = join(options.folder, 'index');
    level = await openIndex(indexFolder, owner, options.rebuildIndex === true);
    const index = new BlockIndex(level);
    const { report, watermark, appendable } = await recover(segments, index);
    const pins = await PinLog.open(files, options.folder, join(options.folder, 'pins.log'));
    const writer = new SegmentWriter(segments, watermark, appendable, options.maxSegmentSizeBytes ?? 256 * 1024 * 1024);
    const openReport: OpenReport = { ...report, damagedPinLines: pins.damage.map(({ line }) => line) };
    const stored = new StoredBlocks(index, segments);
    const commit = new GroupCommit(writer, index, stored, watermark);
    return new EmbeddedStore({ openReport, segments, index, pins, writer, commit, lock, stored });
  } catch (cause) {
    await level?.close();
    await lock?.close();
    throw ioFault('The content store cannot be opened.', cause);
  }
}

interface Parts {
  readonly openReport: OpenReport;
  readonly segments: SegmentFiles;
  readonly index: BlockIndex;
  readonly pins: PinLog;
  readonly writer: SegmentWriter;
  readonly commit: GroupCommit;
  readonly lock: Level;
  readonly stored: StoredBlocks;
}

class EmbeddedStore implements EmbeddedContentStore {
  readonly openReport: OpenReport;
  readonly #parts: Parts;
  #closed: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.openReport = parts.openReport;
    this.#parts = parts;
  }

  async get(cid: CID, options?: ReadOptions): Promise<Uint8Array> {
    await this.#requireOpen();
    requireContentCid(cid);
    return await withDeadline(options, undefined, () => this.#parts.stored.get(cid));
  }

  getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncIterable<Block> {
    return Symbol.iterator in cids ? this.#getMany(cids, options) : readMany(this, cids, options);
  }

  async has(cid: CID, options?: ReadOptions): Promise<boolean> {
    await this.#requireOpen();
    requireContentCid(cid);
    const [found] = await withDeadline(options, undefined, () => this.#parts.stored.hasMany([blockKey(cid)]));
    return found === true;
  }

  async putMany(blocks: BlockStream, options?: PutOptions): Promise<PutResult> {
    await this.#requireOpen();
    const roots = (options?.pinRoots ?? []).map(requireContentCid);
    let count = 0;
    let added = 0;
    let sizeBytes = 0;
    const inFlight: Promise<number>[] = [];
    for await (const chunk of chunksOf(blocks, toPending)) {
      options?.signal?.throwIfAborted();
      await this.#requireOpen();
      const durable = this.#parts.commit.put(chunk.items);
      durable.catch(() => undefined); // its turn to be awaited comes below
      inFlight.push(durable);
      count += chunk.items.length;
      sizeBytes += chunk.sizeBytes;
      if (inFlight.length >= chunksInFlight) added += (await inFlight.shift()) ?? 0;
    }
    for (const durable of inFlight) added += await durable;
    await this.#pin(roots, options);
    return { blocks: count, added, sizeBytes };
  }

  async pin(root: CID, options?: ReadOptions): Promise<void> {
    await this.#requireOpen();
    await this.#pin([requireContentCid(root)], options);
  }

  async unpin(root: CID, options?: ReadOptions): Promise<void> {
    await this.#requireOpen();
    options?.signal?.throwIfAborted();
    await this.#parts.pins.unpin([requireContentCid(root).toString()]);
  }

  async isPinned(root: CID): Promise<boolean> {
    await this.#requireOpen();
    return this.#parts.pins.has(requireContentCid(root).toString());
  }

  async checkHeld(root: CID, options?: HeldOptions): Promise<HeldReport> {
    await this.#requireOpen();
    const { stored } = this.#parts;
    return await withDeadline(options, undefined, (signal) =>
      checkHeld(root, (cids) => stored.getMany(cids), options, signal),
    );
  }

  async repair(block: Block, options?: ReadOptions): Promise<void> {
    // A put reads what is there before it takes it for stored, and writes the block anew when that is not intact.
    await this.putMany([block], options);
    await this.get(block.cid, options);
  }

  async addFile(content: ByteStream, options?: ReadOptions): Promise<CID> {
    await this.#requireOpen();
    return await addUnixfsFile(this, content, options);
  }

  cat(cid: CID, options?: ReadOptions): AsyncIterable<Uint8Array> {
    return catUnixfsFile(this, cid, options);
  }

  async stats(): Promise<ContentStoreStats> {
    await this.#requireOpen();
    const { blocks, sizeBytes } = this.#parts.commit.watermark;
    return { blocks, sizeBytes, pinnedRoots: this.#parts.pins.size };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { commit, pins, writer, segments, index, lock } = this.#parts;
    await commit.close();
    await pins.close();
    await writer.close();
    await segments.close();
    await index.close();
    await lock.close();
  }

  async *#getMany(cids: Iterable<CID>, options: ReadOptions | undefined): AsyncGenerator<Block> {
    for (const batch of batchesOf(cids, readTogetherBlocks)) {
      await this.#requireOpen();
      const asked = batch.map(requireContentCid);
      const outcomes = await withDeadline(options, undefined, () => this.#parts.stored.getMany(asked));
      for (const [at, cid] of asked.entries()) {
        const outcome = outcomes[at];
        if (!(outcome instanceof Uint8Array)) throw outcome ?? missing(cid, 'embedded');
        yield { cid, bytes: outcome };
      }
    }
  }

  async #pin(roots: readonly CID[], options: ReadOptions | undefined): Promise<void> {
    if (roots.length === 0) return;
    const { stored, pins } = this.#parts;
    await withDeadline(options, undefined, async (signal) => {
      for (const root of roots) await requireComplete(root, stored, signal);
      signal?.throwIfAborted();
      await pins.pin(roots.map((root) => root.toString()));
    });
  }

  #requireOpen(): Promise<void> {
    if (this.#closed === undefined) return Promise.resolve();
    return Promise.reject(closedError());
  }
}

function toPending(block: Block): PendingBlock {
  requireBlockForm(block);
  const section = carSection(block.cid, block.bytes);
  const bytes = section.bytes.subarray(section.payloadAt);
  // The copy is what is checked: a caller that changes its buffer meanwhile cannot change what is stored.
  requireStorable({ cid: block.cid, bytes });
  return { digest: blockKey(block.cid), section };
}

function* batchesOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
