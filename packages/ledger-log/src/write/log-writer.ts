import type { StoreFile } from '@waymark/durable-files';
import { type ChainEnd, encodeRecords, type RecordBody, recordSize } from '../format/record.ts';
import { type SegmentHeader, segmentHeaderSizeBytes } from '../format/segment-header.ts';
import type { RecordPlace } from '../read/height-index.ts';
import type { LiveSegment } from '../recovery/recover.ts';
import type { Segments } from '../segments.ts';

export interface LogWriterOptions {
  readonly segments: Segments;
  readonly live: ReadonlyMap<number, LiveSegment>;
  /** The end of the last segment. Everything up to there is durable. */
  readonly chain: ChainEnd;
  readonly maxSegmentSizeBytes: number;
  readonly drawTag: () => Uint8Array;
}

/** Appends records to the last segment. Calls must not overlap; after one has failed, no other may be made. */
export class LogWriter {
  readonly #segments: Segments;
  readonly #maxSegmentSizeBytes: number;
  readonly #drawTag: () => Uint8Array;
  readonly #live: Map<number, LiveSegment>;
  #chain: ChainEnd;
  #durableSeq: number;
  #file: StoreFile | undefined;
  #current: LiveSegment;

  constructor({ segments, live, chain, maxSegmentSizeBytes, drawTag }: LogWriterOptions) {
    this.#segments = segments;
    this.#maxSegmentSizeBytes = maxSegmentSizeBytes;
    this.#drawTag = drawTag;
    this.#live = new Map(live);
    this.#chain = chain;
    this.#durableSeq = chain.seq;
    this.#current = [...live.values()].at(-1) as LiveSegment;
  }

  /** Last sequence number that is durable. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  get segmentCount(): number {
    return this.#live.size;
  }

  get sizeBytes(): number {
    let sum = 0;
    for (const { sizeBytes } of this.#live.values()) sum += sizeBytes;
    return sum;
  }

  tagOf(segment: number): Uint8Array | undefined {
    return this.#live.get(segment)?.header.tag;
  }

  /** Makes records durable, with one write and one sync. */
  async append(bodies: readonly RecordBody[]): Promise<RecordPlace[]> {
    const sizeBytes = bodies.reduce((sum, body) => sum + recordSize(body), 0);
    const isFull = this.#current.sizeBytes + sizeBytes > this.#maxSegmentSizeBytes;
    if (isFull && this.#current.sizeBytes > segmentHeaderSizeBytes) await this.#rotate();
    const places = await this.#write(bodies);
    await (await this.#open()).datasync();
    this.#durableSeq = this.#chain.seq;
    return places;
  }

  /** Leaves in the log that everything so far is durable, without a sync of its own. */
  async mark(isSynced = false): Promise<void> {
    await this.#write([{ kind: 'mark', payload: new Uint8Array(0) }]);
    if (isSynced) await (await this.#open()).datasync();
  }

  /**
   * Begins anew with a checkpoint: once it is durable, the segments before go.
   * @param onDurable called with the places of the records before anything is removed
   */
  async replace(bodies: readonly RecordBody[], onDurable: (places: readonly RecordPlace[]) => void): Promise<void> {
    const before = [...this.#live.keys()];
    await this.#begin(bodies);
    this.#durableSeq = this.#chain.seq;
    onDurable(placesOf(bodies, this.#current.header, segmentHeaderSizeBytes));
    for (const segment of before) {
      await this.#segments.remove(segment);
      this.#live.delete(segment);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #rotate(): Promise<void> {
    // An unsynced mark at the end of the segment becomes durable with it: the next segment may only follow what is proven.
    if (this.#durableSeq < this.#chain.seq) await (await this.#open()).datasync();
    this.#durableSeq = this.#chain.seq;
    await this.#begin([]);
  }

  /** @param base what the segment begins with, if it is to be a base */
  async #begin(base: readonly RecordBody[]): Promise<void> {
    const { header: last } = this.#current;
    const { seq, digest } = this.#chain;
    const header: SegmentHeader = {
      logId: last.logId,
      segment: last.segment + 1,
      firstSeq: seq + 1,
      proven: seq + base.length,
      isBase: base.length > 0,
      tag: this.#drawTag(),
      prev: digest,
    };
    const { bytes, end } = encodeRecords(base, header.tag, this.#chain, header.proven);
    const file = await this.#segments.create(header, bytes);
    const previous = this.#file;
    this.#file = file;
    this.#chain = end;
    this.#advanceTo({ header, sizeBytes: segmentHeaderSizeBytes + bytes.length });
    await previous?.close();
  }

  async #write(bodies: readonly RecordBody[]): Promise<RecordPlace[]> {
    const { header, sizeBytes } = this.#current;
    const file = await this.#open();
    const { bytes, end } = encodeRecords(bodies, header.tag, this.#chain, this.#durableSeq);
    await file.write(bytes, sizeBytes);
    const places = placesOf(bodies, { ...header, firstSeq: this.#chain.seq + 1 }, sizeBytes);
    this.#chain = end;
    this.#advanceTo({ header, sizeBytes: sizeBytes + bytes.length });
    return places;
  }

  #advanceTo(current: LiveSegment): void {
    this.#current = current;
    this.#live.set(current.header.segment, current);
  }

  async #open(): Promise<StoreFile> {
    this.#file ??= await this.#segments.open(this.#current.header.segment, 'write');
    return this.#file;
  }
}

/** Where records lie that are written one behind the other. */
function placesOf(
  bodies: readonly RecordBody[],
  { segment, firstSeq }: Pick<SegmentHeader, 'segment' | 'firstSeq'>,
  offset: number,
): RecordPlace[] {
  let at = offset;
  return bodies.map((body, index) => {
    const sizeBytes = recordSize(body);
    at += sizeBytes;
    return { segment, offset: at - sizeBytes, sizeBytes, seq: firstSeq + index };
  });
}
