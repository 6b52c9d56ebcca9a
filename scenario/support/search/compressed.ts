import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

const maxOutputLength = 64 * 1024 * 1024;
const formats: readonly { readonly magic: Buffer; readonly unpack: (bytes: Buffer) => Buffer }[] = [
  // Whatever follows the stream, or is missing at its end, does not matter: what can be read is looked at.
  {
    magic: Buffer.from([0x1f, 0x8b, 0x08]),
    unpack: (bytes) => inflateRawSync(bytes.subarray(gzipHeaderSizeBytes(bytes)), lenient),
  },
  { magic: Buffer.from([0x78, 0x01]), unpack: (bytes) => inflateSync(bytes, lenient) },
  { magic: Buffer.from([0x78, 0x9c]), unpack: (bytes) => inflateSync(bytes, lenient) },
  { magic: Buffer.from([0x78, 0xda]), unpack: (bytes) => inflateSync(bytes, lenient) },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), unpack: (bytes) => zstdDecompressSync(bytes, { maxOutputLength }) },
];
const lenient = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };

/** Every gzip, zlib and zstd stream that starts somewhere in `bytes`, unpacked. */
export function unpackedStreams(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (const { magic, unpack } of formats) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      try {
        const output = unpack(bytes.subarray(at));
        if (output.length > 0) found.push(output);
      } catch {
        // The magic number stood there by chance.
      }
    }
  }
  return found;
}

/** RFC 1952, section 2.3: ten bytes, then what the flags announce. */
function gzipHeaderSizeBytes(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + bytes.readUInt16LE(at);
  for (const text of [8, 16]) if ((flags & text) !== 0) at = bytes.indexOf(0, at) + 1;
  return (flags & 2) === 0 ? at : at + 2;
}
