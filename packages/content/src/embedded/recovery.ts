import type { BlockIndex, IndexEntry, Watermark } from './block-index.ts';
import type { StoreFile } from '@waymark/durable-files';
import { type Scanned, scanSegment } from './segment-scan.ts';
import type { SegmentFiles } from './segment-files.ts';

/** Bytes of a segment that are not what was written there. Nothing is removed. */
export interface SegmentDamage {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
  /** 'framing': no section; 'content': a section whose payload does not hash to its CID; 'truncated': bytes gone. */
  readonly kind: 'framing' | 'content' | 'truncated';
}

/** What opening the store found and did. */
export interface OpenReport {
  readonly segments: number;
  /** Whether the index was lost or damaged and was made again from the segments. */
  readonly indexRebuilt: boolean;
  /** Blocks found behind the index's watermark and added to it. */
  readonly recoveredBlocks: number;
  /** The unfinished, never acknowledged last write that was cut off. */
  readonly tornTail?: { readonly segment: number; readonly at: number; readonly sizeBytes: number };
  readonly damage: readonly SegmentDamage[];
  /** Lines of the pin log that cannot be read. */
  readonly damagedPinLines: readonly number[];
}

export interface Recovered {
  readonly report: Omit<OpenReport, 'damagedPinLines'>;
  readonly watermark: Watermark;
  /** Whether the last segment may be appended to at the watermark. */
  readonly appendable: boolean;
}

const empty: Watermark = { segment: 0, offset: 0, blocks: 0, sizeBytes: 0 };
const batchBlocks = 4096;
const maxDamage = 10_000;

/**
 * Brings the index level with the segments: scans what lies behind the watermark, or everything when there is none.
 *
 * Acknowledged writes are synced in order, so an unfinished write can only lie at the very end of the last segment, with
 * no intact section behind it: that tail is cut. Damage anywhere else hit acknowledged data: it is reported and kept.
 */
export async function recover(segments: SegmentFiles, index: BlockIndex): Promise<Recovered> {
  const numbers = await segments.list();
  const found = await index.watermark();
  const recovery = new Recovery(index, found ?? empty);
  if (found !== undefined && found.segment > 0 && !numbers.includes(found.segment)) {
    recovery.note({ segment: found.segment, start: 0, end: found.offset, kind: 'truncated' });
  }
  let appendable = false;
  for (const segment of numbers.filter((number) => number >= recovery.watermark.segment)) {
    const file = await segments.openForScan(segment);
    try {
      appendable = await recovery.scan(segment, file, segment === numbers.at(-1));
    } finally {
      await file.close();
    }
  }
  if (recovery.torn !== undefined) await cut(segments, recovery.torn);
  return {
    report: {
      segments: numbers.length,
      indexRebuilt: found === undefined && numbers.length > 0,
      recoveredBlocks: recovery.watermark.blocks - (found ?? empty).blocks,
      ...(recovery.torn === undefined ? {} : { tornTail: recovery.torn }),
      damage: recovery.damage,
    },
    watermark: recovery.watermark,
    appendable,
  };
}

async function cut(segments: SegmentFiles, { segment, at }: { segment: number; at: number }): Promise<void> {
  const file = await segments.openForWriting(segment);
  try {
    await file.truncate(at);
    await file.datasync();
  } finally {
    await file.close();
  }
}

class Recovery {
  readonly damage: SegmentDamage[] = [];
  torn: { segment: number; at: number; sizeBytes: number } | undefined;
  watermark: Watermark;
  readonly #index: BlockIndex;
  #batch: Extract<Scanned, { kind: 'block' }>[] = [];

  constructor(index: BlockIndex, watermark: Watermark) {
    this.#index = index;
    this.watermark = watermark;
  }

  note(damage: SegmentDamage): void {
    if (this.damage.length < maxDamage) this.damage.push(damage);
  }

  /** @returns whether the segment may be appended to at the watermark */
  async scan(segment: number, file: StoreFile, last: boolean): Promise<boolean> {
    const sizeBytes = await file.sizeBytes();
    const start = segment === this.watermark.segment ? this.watermark.offset : 0;
    if (sizeBytes < start) {
      this.note({ segment, start: sizeBytes, end: start, kind: 'truncated' });
      return false;
    }
    // What is not intact waits here until an intact section behind it shows that it is not the torn tail.
    let doubtful: Scanned[] = [];
    let end = start;
    for await (const item of scanSegment(file, start, sizeBytes)) {
      if (item.kind === 'damage' || !item.intact) {
        if (doubtful.length < maxDamage) doubtful.push(item);
        continue;
      }
      await this.#keep(segment, doubtful);
      doubtful = [];
      await this.#add(segment, item);
      end = item.end;
    }
    const headerOnly = doubtful.length === 0 && end === 0;
    if (last && doubtful.length > 0) this.torn = { segment, at: end, sizeBytes: sizeBytes - end };
    else {
      await this.#keep(segment, doubtful);
      end = headerOnly ? 0 : sizeBytes;
    }
    await this.#flush(segment, end);
    return last;
  }

  async #keep(segment: number, items: readonly Scanned[]): Promise<void> {
    for (const item of items) {
      if (item.kind === 'damage') this.note({ segment, start: item.start, end: item.end, kind: 'framing' });
      else {
        this.note({ segment, start: item.payloadAt, end: item.end, kind: 'content' });
        await this.#add(segment, item);
      }
    }
  }

  async #add(segment: number, block: Extract<Scanned, { kind: 'block' }>): Promise<void> {
    this.#batch.push(block);
    if (this.#batch.length >= batchBlocks) await this.#flush(segment, block.end);
  }

  async #flush(segment: number, offset: number): Promise<void> {
    const known = await this.#index.hasMany(this.#batch.map((block) => block.digest));
    const entries = new Map<string, IndexEntry>();
    let { blocks, sizeBytes } = this.watermark;
    for (const [at, block] of this.#batch.entries()) {
      const key = Buffer.from(block.digest).toString('latin1');
      const isNew = known[at] !== true && !entries.has(key);
      // An altered copy is named only where there is no intact one: its reader is told, and a good copy is never hidden.
      if (!block.intact && !isNew) continue;
      entries.set(key, {
        digest: block.digest,
        location: { segment, payloadAt: block.payloadAt, sizeBytes: block.sizeBytes },
      });
      if (isNew) {
        blocks += 1;
        sizeBytes += block.sizeBytes;
      }
    }
    this.#batch = [];
    this.watermark = { segment, offset, blocks, sizeBytes };
    await this.#index.write([...entries.values()], this.watermark);
  }
}
