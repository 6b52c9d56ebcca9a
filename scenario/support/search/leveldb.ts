import { decompressSnappy } from './snappy.ts';

const footerSizeBytes = 48;
const magic = 0xdb4775248b80fb57n;
const logBlockSizeBytes = 32 * 1024;
const logHeaderSizeBytes = 7;

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/** The data blocks of a LevelDB table (.ldb), unpacked; none when the bytes are no table. Prefix compression of keys stays. */
export function tableBlocks(file: Buffer): Buffer[] {
  if (file.length < footerSizeBytes || file.readBigUInt64LE(file.length - 8) !== magic) return [];
  const footer = cursor(file, file.length - footerSizeBytes);
  const metaIndex = readHandle(footer);
  const index = readHandle(footer);
  return [...blocksOf(file, metaIndex), ...blocksOf(file, index)];
}

/** An index block, what it points at, and the keys and values of each put together. */
function blocksOf(file: Buffer, handle: BlockHandle): Buffer[] {
  const index = unpack(file, handle);
  const entries = entriesOf(index);
  const blocks = entries.map(({ value }) => unpack(file, readHandle(cursor(value, 0))));
  const pairs = blocks.flatMap((block) => entriesOf(block).map(({ key, value }) => Buffer.concat([key, value])));
  return [index, ...blocks, ...pairs];
}

/** The records of a LevelDB log (.log, MANIFEST), their fragments joined. */
export function logRecords(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let start = 0; start < file.length; start += logBlockSizeBytes) {
    const block = file.subarray(start, start + logBlockSizeBytes);
    let at = 0;
    while (at + logHeaderSizeBytes <= block.length) {
      const size = block.readUInt16LE(at + 4);
      const type = block.readUInt8(at + 6);
      if (type < 1 || type > 4) break;
      parts.push(block.subarray(at + logHeaderSizeBytes, at + logHeaderSizeBytes + size));
      at += logHeaderSizeBytes + size;
      if (type !== 1 && type !== 4) continue;
      records.push(Buffer.concat(parts));
      parts = [];
    }
  }
  return [...records, Buffer.concat(parts)];
}

function unpack(file: Buffer, { offset, size }: BlockHandle): Buffer {
  const bytes = file.subarray(offset, offset + size);
  const type = file[offset + size];
  if (type === 0) return bytes;
  if (type === 1) return decompressSnappy(bytes);
  throw new Error(`a table block is compressed in a way that is not known here: ${String(type)}`);
}

function entriesOf(block: Buffer): { key: Buffer; value: Buffer }[] {
  if (block.length < 4) return [];
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4);
  const entries: { key: Buffer; value: Buffer }[] = [];
  const read = cursor(block, 0);
  let key = Buffer.alloc(0);
  while (read.at < end) {
    const shared = read.varint();
    const unshared = read.varint();
    const size = read.varint();
    key = Buffer.concat([key.subarray(0, shared), read.bytes(unshared)]);
    entries.push({ key, value: read.bytes(size) });
  }
  return entries;
}

function readHandle(read: Cursor): BlockHandle {
  const offset = read.varint();
  return { offset, size: read.varint() };
}

interface Cursor {
  readonly at: number;
  varint(): number;
  bytes(count: number): Buffer;
}

function cursor(buffer: Buffer, start: number): Cursor {
  let at = start;
  return {
    get at() {
      return at;
    },
    varint() {
      let value = 0;
      for (let shift = 0; shift < 64; shift += 7) {
        const byte = buffer[at];
        if (byte === undefined) break;
        at += 1;
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return value;
      }
      throw new Error('a LevelDB number is cut off');
    },
    bytes(count) {
      const bytes = buffer.subarray(at, at + count);
      if (bytes.length !== count) throw new Error('a LevelDB entry is cut off');
      at += count;
      return bytes;
    },
  };
}
