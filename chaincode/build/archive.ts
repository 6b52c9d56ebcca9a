import { crc32 } from 'node:zlib';

/** A file of an archive. */
export interface ArchiveFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

const blockBytes = 512;
const storedBlockBytes = 0xffff;

/**
 * A ustar archive (POSIX.1-2017, pax, "ustar Interchange Format") whose bytes depend on names and contents alone: no times, no
 * owners.
 */
export function tar(files: readonly ArchiveFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, contents } of files) {
    parts.push(
      tarHeader(name, contents.length),
      contents,
      new Uint8Array((blockBytes - (contents.length % blockBytes)) % blockBytes),
    );
  }
  return Buffer.concat([...parts, new Uint8Array(2 * blockBytes)]);
}

function tarHeader(name: string, sizeBytes: number): Uint8Array {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the name ${name} is too long for a tar header`);
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, 'utf8');
  header.write('0100644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/**
 * A gzip file (RFC 1952) of stored blocks. Compressors differ between versions of zlib; a package id is a hash over these bytes, and
 * everybody who packs the same must get the same.
 */
export function gzipStored(data: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])];
  let offset = 0;
  do {
    const chunk = data.subarray(offset, offset + storedBlockBytes);
    offset += chunk.length;
    const header = Buffer.alloc(5);
    header.writeUInt8(offset >= data.length ? 1 : 0, 0);
    header.writeUInt16LE(chunk.length, 1);
    header.writeUInt16LE(chunk.length ^ 0xffff, 3);
    parts.push(header, chunk);
  } while (offset < data.length);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length, 4);
  return Buffer.concat([...parts, trailer]);
}
