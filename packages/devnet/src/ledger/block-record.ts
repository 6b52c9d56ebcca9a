import { crc32 } from 'node:zlib';

/** length u32 ‖ CRC-32 of the payload ‖ CRC-32 of these eight octets and a mark; big-endian. */
export const RECORD_HEADER_BYTES = 12;
/** More than any block that an orderer can cut. */
const MAX_RECORD_BYTES = 256 * 1024 * 1024;

const MARK = crc32('devnet block record 1');

export function encodeRecordHeader(payload: Uint8Array): Uint8Array {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt32BE(crc32(payload), 4);
  header.writeUInt32BE(crc32(header.subarray(0, 8), MARK), 8);
  return header;
}

const isZero = (octet: number) => octet === 0;

export type RecordReading =
  | { readonly kind: 'record'; readonly payload: Uint8Array; readonly nextOffset: number }
  /** Fewer octets than announced, or nothing but zeros: a write that never finished. */
  | { readonly kind: 'torn' }
  /** Something else than what was written. */
  | { readonly kind: 'corrupt' };

/**
 * Reads the record at `offset`. A record whose payload is wrong is called torn only when it is the last thing in the file,
 * because only the last write can have been cut off.
 */
export function readRecord(file: Buffer, offset: number): RecordReading {
  const header = file.subarray(offset, offset + RECORD_HEADER_BYTES);
  if (header.length < RECORD_HEADER_BYTES) return { kind: 'torn' };
  if (header.every(isZero)) return { kind: file.subarray(offset).every(isZero) ? 'torn' : 'corrupt' };
  const length = header.readUInt32BE(0);
  if (header.readUInt32BE(8) !== crc32(header.subarray(0, 8), MARK) || length > MAX_RECORD_BYTES) {
    return { kind: 'corrupt' };
  }
  const start = offset + RECORD_HEADER_BYTES;
  const payload = file.subarray(start, start + length);
  if (payload.length < length) return { kind: 'torn' };
  if (crc32(payload) !== header.readUInt32BE(4)) {
    return { kind: start + length === file.length ? 'torn' : 'corrupt' };
  }
  return { kind: 'record', payload, nextOffset: start + length };
}
