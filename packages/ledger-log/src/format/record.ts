import { digestOf, digestSizeBytes } from './digest.ts';

/** tag (8) ‖ seq u64 ‖ proven u64 ‖ payload length u32 ‖ kind u8 ‖ 0 (3) ‖ digest of the record before (16) ‖ payload ‖ digest (16); big-endian. */
export const recordHeadSizeBytes = 48;
export const recordOverheadBytes = recordHeadSizeBytes + digestSizeBytes;
export const tagSizeBytes = 8;

/** What a record holds. */
export const recordKinds = { mark: 0, step: 1, opened: 2 } as const;
export type RecordKind = keyof typeof recordKinds;

/** One record before it has a place. */
export interface RecordBody {
  readonly kind: RecordKind;
  readonly payload: Uint8Array;
}

/** A record as it stands in a segment. */
export interface RecordFrame extends RecordBody {
  readonly seq: number;
  /** Last sequence number that was known to be durable when this was written: evidence that nothing up to there can be a torn tail. */
  readonly proven: number;
  /** Digest of the record before. */
  readonly prev: Uint8Array;
  readonly digest: Uint8Array;
  readonly sizeBytes: number;
}

/** Where a chain of records stands. */
export interface ChainEnd {
  readonly seq: number;
  readonly digest: Uint8Array;
}

/** Octets that a record takes. */
export function recordSize({ payload }: RecordBody): number {
  return recordOverheadBytes + payload.length;
}

/**
 * Writes records one behind the other.
 * @param tag of the segment
 * @param proven last durable sequence number
 */
export function encodeRecords(
  bodies: readonly RecordBody[],
  tag: Uint8Array,
  after: ChainEnd,
  proven: number,
): { readonly bytes: Uint8Array; readonly end: ChainEnd } {
  const bytes = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + recordSize(body), 0));
  let { seq, digest } = after;
  let at = 0;
  for (const { kind, payload } of bodies) {
    seq += 1;
    bytes.set(tag, at);
    bytes.writeBigUInt64BE(BigInt(seq), at + 8);
    bytes.writeBigUInt64BE(BigInt(proven), at + 16);
    bytes.writeUInt32BE(payload.length, at + 24);
    bytes.writeUInt32BE(recordKinds[kind] * 0x1000000, at + 28);
    bytes.set(digest, at + 32);
    const digestAt = at + recordHeadSizeBytes + payload.length;
    bytes.set(payload, at + recordHeadSizeBytes);
    digest = digestOf(bytes.subarray(at, digestAt));
    bytes.set(digest, digestAt);
    at = digestAt + digestSizeBytes;
  }
  return { bytes, end: { seq, digest } };
}

/** The record that begins at an offset; undefined when there is none whose digest is right. */
export function decodeRecord(bytes: Buffer, at: number, tag: Uint8Array): RecordFrame | undefined {
  if (at + recordOverheadBytes > bytes.length) return undefined;
  if (Buffer.compare(bytes.subarray(at, at + tagSizeBytes), tag) !== 0) return undefined;
  const length = bytes.readUInt32BE(at + 24);
  const digestAt = at + recordHeadSizeBytes + length;
  if (digestAt + digestSizeBytes > bytes.length) return undefined;
  const digest = bytes.subarray(digestAt, digestAt + digestSizeBytes);
  if (Buffer.compare(digestOf(bytes.subarray(at, digestAt)), digest) !== 0) return undefined;
  const code = bytes.readUInt32BE(at + 28) / 0x1000000;
  const kind = (Object.keys(recordKinds) as RecordKind[]).find((name) => recordKinds[name] === code);
  if (kind === undefined) return undefined;
  return {
    kind,
    payload: bytes.subarray(at + recordHeadSizeBytes, digestAt),
    seq: Number(bytes.readBigUInt64BE(at + 8)),
    proven: Number(bytes.readBigUInt64BE(at + 16)),
    prev: bytes.subarray(at + 32, at + recordHeadSizeBytes),
    digest,
    sizeBytes: recordOverheadBytes + length,
  };
}
