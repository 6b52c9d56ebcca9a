import { type ChainEnd, decodeRecord, type RecordFrame } from '../format/record.ts';
import { type SegmentHeader, segmentHeaderSizeBytes } from '../format/segment-header.ts';

/** A record and where it begins. */
export interface ScannedRecord {
  readonly frame: RecordFrame;
  readonly offset: number;
}

/** What one segment holds. */
export interface SegmentScan {
  /** The records that follow one another from the beginning. */
  readonly records: readonly ScannedRecord[];
  /** Where they end. */
  readonly end: number;
  readonly chain: ChainEnd;
  /** Last sequence number that anything in the segment proves to have been durable, what lies behind a damage included. */
  readonly proven: number;
  /**
   * What comes at `end` in place of a record: nothing; octets that are none; an intact record that does not belong there, which no unfinished write
   * leaves behind.
   */
  readonly then: 'end' | 'damage' | 'stranger';
}

/**
 * Walks the records of a segment. The unsynced end of a file may be there in part, its pages in any order, so that intact records behind a damage
 * do not make it a corruption; what they say about `proven` does.
 * @param after where the chain stands before the segment
 */
export function scanSegment(bytes: Buffer, header: SegmentHeader, after: ChainEnd): SegmentScan {
  const records: ScannedRecord[] = [];
  let { seq, digest } = after;
  let proven = header.proven;
  let at = segmentHeaderSizeBytes;
  let then: SegmentScan['then'] = 'end';
  while (at < bytes.length) {
    const frame = decodeRecord(bytes, at, header.tag);
    if (frame === undefined) {
      proven = Math.max(proven, provenBehind(bytes, at + 1, header.tag));
      then = 'damage';
      break;
    }
    if (frame.seq !== seq + 1 || Buffer.compare(frame.prev, digest) !== 0) {
      then = 'stranger';
      break;
    }
    records.push({ frame, offset: at });
    ({ seq, digest } = frame);
    proven = Math.max(proven, frame.proven);
    at += frame.sizeBytes;
  }
  return { records, end: at, chain: { seq, digest: Uint8Array.from(digest) }, proven, then };
}

/** What intact records from an offset on prove, wherever they begin. */
function provenBehind(bytes: Buffer, from: number, tag: Uint8Array): number {
  let proven = 0;
  for (let at = bytes.indexOf(tag, from); at >= 0; at = bytes.indexOf(tag, at + 1)) {
    proven = Math.max(proven, decodeRecord(bytes, at, tag)?.proven ?? 0);
  }
  return proven;
}
