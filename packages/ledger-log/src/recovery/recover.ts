import type { PersistStep } from '@waymark/rsl';
import { abnormal } from '../errors.ts';
import { type ChainEnd } from '../format/record.ts';
import { decodeSegmentHeader, type SegmentHeader, segmentHeaderSizeBytes } from '../format/segment-header.ts';
import { decodeStep } from '../format/step-encoding.ts';
import type { RestoredLog } from '../ledger-log.ts';
import { decodeOpening, maxOpenings, type Opening } from '../position.ts';
import { HeightIndex, indexedStep } from '../read/height-index.ts';
import type { Segments } from '../segments.ts';
import { emptyShape, type LogShape, sealedTop, shapeAfter } from '../shape.ts';
import { scanSegment, type SegmentScan } from './scan-segment.ts';

/** A segment that is in use. */
export interface LiveSegment {
  readonly header: SegmentHeader;
  readonly sizeBytes: number;
}

/** A log as it was found, made durable. */
export interface RecoveredLog {
  readonly steps: readonly PersistStep[];
  readonly tornTail: RestoredLog['tornTail'];
  readonly live: ReadonlyMap<number, LiveSegment>;
  readonly chain: ChainEnd;
  readonly openings: readonly Opening[];
  readonly shape: LogShape;
  readonly index: HeightIndex;
  /** Octets of the checkpoint that it begins with. */
  readonly baseSizeBytes: number;
}

interface Found {
  readonly header: SegmentHeader;
  readonly bytes: Buffer;
}

/**
 * Reads the log from its last checkpoint on.
 *
 * What a crash leaves behind can only be at the end: the records that were written since the last sync, there in part. Everything that the log
 * itself proves to have been durable must be there, octet for octet; if it is not, nothing is changed and the log is refused.
 *
 * @param numbers of the segments, ascending, at least one
 * @throws WaymarkError data-abnormal with segment and offset; unsupported
 */
export async function recover(segments: Segments, numbers: readonly number[]): Promise<RecoveredLog> {
  const found = await fromLastBase(segments, numbers);
  const reading = new Reading();
  let last: { found: Found; scan: SegmentScan } | undefined;
  for (const [at, each] of found.entries()) {
    const scan = reading.take(each, at === 0);
    if (scan.then !== 'end' && (at < found.length - 1 || scan.then === 'stranger'))
      throw abnormal(scan.then, { segment: each.header.segment, offset: scan.end });
    last = { found: each, scan };
  }
  if (last === undefined) throw abnormal('no-segment', { segment: 0, offset: 0 });
  const { header, bytes } = last.found;
  const { end, chain, then } = last.scan;
  if (chain.seq < reading.proven) {
    throw abnormal(then === 'end' ? 'truncated' : 'damage', { segment: header.segment, offset: end });
  }
  await settleEnd(segments, last.found, last.scan, reading.proven);
  for (const number of numbers) if (number < (found[0]?.header.segment ?? 0)) await segments.remove(number);
  reading.live.set(header.segment, { header, sizeBytes: end });
  const tornTail = then === 'end' ? null : { segment: header.segment, offset: end, sizeBytes: bytes.length - end };
  const { steps, live, openings, shape, index, baseSizeBytes } = reading;
  return { steps, tornTail, live, chain, openings, shape, index, baseSizeBytes };
}

/** The segments from the last one that begins with a checkpoint, lowest first. */
async function fromLastBase(segments: Segments, numbers: readonly number[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const [at, number] of [...numbers].reverse().entries()) {
    const above = found[0]?.header.segment;
    if (above !== undefined && number !== above - 1) break;
    const bytes = await segments.read(number);
    const header = decodeSegmentHeader(bytes);
    if (header?.segment !== number) throw abnormal('header', { segment: number, offset: 0 });
    if (at > 0 && !sameLog(header, found[0])) throw abnormal('another-log', { segment: number, offset: 0 });
    found.unshift({ header, bytes });
    if (header.isBase) return found;
  }
  throw abnormal('segment-missing', { segment: (found[0]?.header.segment ?? 1) - 1, offset: 0 });
}

function sameLog(header: SegmentHeader, other: Found | undefined): boolean {
  return other === undefined || Buffer.compare(header.logId, other.header.logId) === 0;
}

/**
 * Cuts a torn tail, and writes again what is not proven to be durable: after a sync that failed, the system may show octets that never reached the
 * disk, and call the next sync a success.
 */
async function settleEnd(segments: Segments, { header, bytes }: Found, scan: SegmentScan, proven: number) {
  const doubtful = scan.records.find(({ frame }) => frame.seq > proven);
  const from = doubtful?.offset ?? scan.end;
  const file = await segments.open(header.segment, 'write');
  try {
    if (scan.end < bytes.length) await file.truncate(scan.end);
    if (from < scan.end) await file.write(bytes.subarray(from, scan.end), from);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** What follows from the records, read in order. */
class Reading {
  readonly steps: PersistStep[] = [];
  readonly live = new Map<number, LiveSegment>();
  readonly index = new HeightIndex();
  readonly openings: Opening[] = [];
  shape: LogShape = emptyShape;
  proven = 0;
  baseSizeBytes = 0;
  #chain: ChainEnd | undefined;

  take({ header, bytes }: Found, isBase: boolean): SegmentScan {
    const { segment } = header;
    const before = this.#chain ?? { seq: header.firstSeq - 1, digest: header.prev };
    const follows = header.firstSeq === before.seq + 1 && Buffer.compare(header.prev, before.digest) === 0;
    if (!follows) throw abnormal('order', { segment, offset: segmentHeaderSizeBytes });
    const scan = scanSegment(bytes, header, before);
    this.#chain = scan.chain;
    this.proven = Math.max(this.proven, scan.proven);
    this.live.set(segment, { header, sizeBytes: bytes.length });
    for (const { frame, offset } of scan.records) {
      if (isBase && frame.seq <= header.proven) this.baseSizeBytes += frame.sizeBytes;
      if (frame.kind === 'opened') this.#open(decodeOpening(frame.payload));
      if (frame.kind !== 'step') continue;
      const step = decodeStep(frame.payload);
      this.steps.push(step);
      this.index.add(indexedStep(step, sealedTop(this.shape)), {
        segment,
        offset,
        sizeBytes: frame.sizeBytes,
        seq: frame.seq,
      });
      this.shape = shapeAfter(this.shape, step);
    }
    if (isBase && this.openings.length === 0) throw abnormal('no-opening', { segment, offset: segmentHeaderSizeBytes });
    return scan;
  }

  #open(opening: Opening): void {
    this.openings.push(opening);
    if (this.openings.length > maxOpenings) this.openings.shift();
  }
}
