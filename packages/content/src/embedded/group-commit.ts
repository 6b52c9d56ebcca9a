import type { WaymarkError } from '@waymark/protocol';
import type { Section } from '../car/framing.ts';
import { closedError } from '../store/closed.ts';
import type { BlockIndex, IndexEntry, Watermark } from './block-index.ts';
import { ioFault } from '@waymark/durable-files';
import type { SegmentWriter } from './segment-writer.ts';
import type { StoredBlocks } from './stored-blocks.ts';

/** A verified block on its way to a segment. */
export interface PendingBlock {
  readonly digest: Uint8Array;
  readonly section: Section;
}

interface Request {
  readonly blocks: readonly PendingBlock[];
  readonly sizeBytes: number;
  readonly resolve: (added: number) => void;
  readonly reject: (fault: unknown) => void;
}

const maxGroupSizeBytes = 16 * 1024 * 1024;

/**
 * Joins the writes of concurrent callers: while one group is being synced the next gathers, so that the number of syncs
 * follows the disk and not the number of callers. A request is answered when its group is durable and readable.
 */
export class GroupCommit {
  readonly #writer: SegmentWriter;
  readonly #index: BlockIndex;
  readonly #stored: Pick<StoredBlocks, 'hasMany' | 'intact'>;
  #watermark: Watermark;
  #queue: Request[] = [];
  #running: Promise<void> | undefined;
  #fault: WaymarkError | undefined;
  #closed = false;

  constructor(
    writer: SegmentWriter,
    index: BlockIndex,
    stored: Pick<StoredBlocks, 'hasMany' | 'intact'>,
    watermark: Watermark,
  ) {
    this.#writer = writer;
    this.#index = index;
    this.#stored = stored;
    this.#watermark = watermark;
  }

  get watermark(): Watermark {
    return this.#watermark;
  }

  /** @returns how many of the blocks were new, once all are durable */
  put(blocks: readonly PendingBlock[]): Promise<number> {
    if (this.#closed) return Promise.reject(closedError());
    const sizeBytes = blocks.reduce((sum, { section }) => sum + section.bytes.length, 0);
    return new Promise((resolve, reject) => {
      this.#queue.push({ blocks, sizeBytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Takes nothing more, and resolves when everything taken was answered. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        const added = await this.#commit(group);
        for (const [at, request] of group.entries()) request.resolve(added[at] ?? 0);
      } catch (fault) {
        for (const request of group) request.reject(fault);
      }
    }
    this.#running = undefined;
  }

  #takeGroup(): Request[] {
    let count = 0;
    let sizeBytes = 0;
    for (const request of this.#queue) {
      if (count > 0 && sizeBytes + request.sizeBytes > maxGroupSizeBytes) break;
      count += 1;
      sizeBytes += request.sizeBytes;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(group: readonly Request[]): Promise<number[]> {
    if (this.#fault !== undefined) throw this.#fault;
    const candidates = group.flatMap((request, from) => request.blocks.map((block) => ({ block, from })));
    const standing = await this.#standing(candidates.map(({ block }) => block.digest));
    const added = group.map(() => 0);
    const writes = new Map<string, PendingBlock>();
    let { blocks, sizeBytes } = this.#watermark;
    for (const [at, { block, from }] of candidates.entries()) {
      const key = Buffer.from(block.digest).toString('latin1');
      if (standing[at] === 'intact' || writes.has(key)) continue;
      writes.set(key, block);
      if (standing[at] === 'altered') continue;
      added[from] = (added[from] ?? 0) + 1;
      blocks += 1;
      sizeBytes += block.section.bytes.length - block.section.payloadAt;
    }
    if (writes.size === 0) return added;
    const pending = [...writes.values()];
    const { segment, offset, locations } = await this.#writer.append(pending.map((block) => block.section));
    const entries: IndexEntry[] = [];
    for (const [at, location] of locations.entries()) {
      const block = pending[at];
      if (block !== undefined) entries.push({ digest: block.digest, location });
    }
    await this.#indexDurable(entries, { segment, offset, blocks, sizeBytes });
    return added;
  }

  /**
   * A block that is known is read before it is taken for stored: a repeated put so repairs an altered copy, and nothing
   * is acknowledged that cannot be read.
   */
  async #standing(digests: readonly Uint8Array[]): Promise<('absent' | 'intact' | 'altered')[]> {
    const known = await this.#stored.hasMany(digests);
    const repeated = digests.filter((_digest, at) => known[at]);
    if (repeated.length === 0) return digests.map(() => 'absent');
    const intact = (await this.#stored.intact(repeated)).values();
    return known.map((is) => (is ? (intact.next().value === true ? 'intact' : 'altered') : 'absent'));
  }

  async #indexDurable(entries: readonly IndexEntry[], watermark: Watermark): Promise<void> {
    try {
      await this.#index.write(entries, watermark);
      this.#watermark = watermark;
    } catch (cause) {
      // The blocks are durable but not to be found before the next opening scans them: no later group may move the
      // watermark over them.
      this.#fault = ioFault('The index of the content store cannot be written; open the store again.', cause);
      throw this.#fault;
    }
  }
}
