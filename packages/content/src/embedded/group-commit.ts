import type { WaymarkError } from '@waymark/protocol';
import type { Section } from '../car/framing.ts';
import type { BlockIndex, IndexEntry, Watermark } from './block-index.ts';
import { ioFault } from './io-fault.ts';
import type { SegmentWriter } from './segment-writer.ts';

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
  /** Digests of blocks that were read and found altered: the next put of one writes it anew. */
  readonly #abnormal: Set<string>;
  #watermark: Watermark;
  #queue: Request[] = [];
  #running: Promise<void> | undefined;
  #fault: WaymarkError | undefined;

  constructor(writer: SegmentWriter, index: BlockIndex, watermark: Watermark, abnormal: Set<string>) {
    this.#writer = writer;
    this.#index = index;
    this.#watermark = watermark;
    this.#abnormal = abnormal;
  }

  get watermark(): Watermark {
    return this.#watermark;
  }

  /** @returns how many of the blocks were new, once all are durable */
  put(blocks: readonly PendingBlock[]): Promise<number> {
    const sizeBytes = blocks.reduce((sum, { section }) => sum + section.bytes.length, 0);
    return new Promise((resolve, reject) => {
      this.#queue.push({ blocks, sizeBytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything asked for so far was answered. */
  async settled(): Promise<void> {
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
    const known = await this.#index.hasMany(candidates.map(({ block }) => block.digest));
    const added = group.map(() => 0);
    const writes = new Map<string, PendingBlock>();
    let { blocks, sizeBytes } = this.#watermark;
    for (const [at, { block, from }] of candidates.entries()) {
      const key = Buffer.from(block.digest).toString('latin1');
      if (writes.has(key)) continue;
      const isNew = known[at] !== true;
      if (!isNew && !this.#abnormal.has(key)) continue;
      writes.set(key, block);
      if (!isNew) continue;
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
    for (const key of writes.keys()) this.#abnormal.delete(key);
    return added;
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
