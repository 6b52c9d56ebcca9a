import { digestOf, digestSizeBytes } from './digest.ts';
import { tagSizeBytes } from './record.ts';

/** magic (8) ‖ log id (16) ‖ segment u64 ‖ first seq u64 ‖ proven u64 ‖ base u8 ‖ 0 (7) ‖ tag (8) ‖ digest before (16) ‖ digest (16); big-endian. */
export const segmentHeaderSizeBytes = 96;
export const logIdSizeBytes = 16;

const magic = Buffer.from('WMLEDLG\u0001', 'latin1');

/** What stands at the beginning of a segment. It is durable before the segment has its name. */
export interface SegmentHeader {
  /** Drawn when the log is made; every segment has it. */
  readonly logId: Uint8Array;
  readonly segment: number;
  /** Sequence number of its first record. */
  readonly firstSeq: number;
  /** Last sequence number that was durable before the segment got its name. */
  readonly proven: number;
  /** Whether it begins with a checkpoint, so that nothing before it is needed. */
  readonly isBase: boolean;
  /** Drawn for each segment; begins every record in it. Nobody who only submits records knows it. */
  readonly tag: Uint8Array;
  /** Digest of the last record before. */
  readonly prev: Uint8Array;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(segmentHeaderSizeBytes);
  bytes.set(magic, 0);
  bytes.set(header.logId, 8);
  bytes.writeBigUInt64BE(BigInt(header.segment), 24);
  bytes.writeBigUInt64BE(BigInt(header.firstSeq), 32);
  bytes.writeBigUInt64BE(BigInt(header.proven), 40);
  bytes.writeUInt8(header.isBase ? 1 : 0, 48);
  bytes.set(header.tag, 56);
  bytes.set(header.prev, 64);
  bytes.set(digestOf(bytes.subarray(0, segmentHeaderSizeBytes - digestSizeBytes)), 80);
  return bytes;
}

/** Undefined when these octets are not a header as it was written. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderSizeBytes || !bytes.subarray(0, 8).equals(magic)) return undefined;
  const digestAt = segmentHeaderSizeBytes - digestSizeBytes;
  const digest = bytes.subarray(digestAt, segmentHeaderSizeBytes);
  if (Buffer.compare(digestOf(bytes.subarray(0, digestAt)), digest) !== 0) return undefined;
  return {
    logId: Uint8Array.from(bytes.subarray(8, 8 + logIdSizeBytes)),
    segment: Number(bytes.readBigUInt64BE(24)),
    firstSeq: Number(bytes.readBigUInt64BE(32)),
    proven: Number(bytes.readBigUInt64BE(40)),
    isBase: bytes.readUInt8(48) === 1,
    tag: Uint8Array.from(bytes.subarray(56, 56 + tagSizeBytes)),
    prev: Uint8Array.from(bytes.subarray(64, 64 + digestSizeBytes)),
  };
}
