/** Texts of fixed form as bytes, side by side; what has not the form stays text, so that every content can be kept. */

const hexDigest = /^[0-9a-f]{64}$/;
const digestBytes = 32;

/** A digest as 32 bytes, any other text as it is. */
export function packDigest(text: string): Uint8Array | string {
  return hexDigest.test(text) ? Buffer.from(text, 'hex') : text;
}

export function unpackDigest(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : hexOf(value);
}

/** A base64url text as the bytes that it stands for, any other text as it is. */
export function packSignature(text: string): Uint8Array | string {
  const bytes = Buffer.from(text, 'base64url');
  return text.length > 0 && bytes.toString('base64url') === text ? bytes : text;
}

export function unpackSignature(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : viewOf(value).toString('base64url');
}

/** Digests side by side, or the texts themselves when one is no digest. */
export function packDigests(texts: readonly string[]): Buffer | readonly string[] {
  if (!texts.every(({ length }) => length === 2 * digestBytes)) return texts;
  // One look at all of them costs a tenth of a look at each.
  const joined = texts.join('');
  return /^[0-9a-f]*$/.test(joined) ? Buffer.from(joined, 'hex') : texts;
}

/** The column's digests, one by one, as bytes; texts stay texts. */
export function eachDigest(texts: readonly string[]): readonly (Uint8Array | string)[] {
  const column = packDigests(texts);
  if (!(column instanceof Uint8Array)) return texts.map(packDigest);
  return texts.map((_text, index) => column.subarray(index * digestBytes, (index + 1) * digestBytes));
}

export function unpackDigests(value: Uint8Array | readonly string[]): string[] {
  if (!(value instanceof Uint8Array)) return [...value];
  const hex = hexOf(value);
  return Array.from({ length: value.length / digestBytes }, (_none, index) =>
    hex.slice(index * 2 * digestBytes, (index + 1) * 2 * digestBytes),
  );
}

/** Hashes side by side, or as they are when they are not all of 32 bytes. */
export function packHashes(hashes: readonly Uint8Array[]): Uint8Array | readonly Uint8Array[] {
  const bytes = Buffer.allocUnsafe(hashes.length * digestBytes);
  for (const [index, hash] of hashes.entries()) {
    if (hash.length !== digestBytes) return hashes;
    bytes.set(hash, index * digestBytes);
  }
  return bytes;
}

export function unpackHashes(value: Uint8Array | readonly Uint8Array[]): Uint8Array[] {
  if (!(value instanceof Uint8Array)) return value.map((hash) => Uint8Array.from(hash));
  // One copy, so that a hash does not keep the whole body in memory.
  const bytes = Uint8Array.from(value);
  return Array.from({ length: bytes.length / digestBytes }, (_none, index) =>
    bytes.subarray(index * digestBytes, (index + 1) * digestBytes),
  );
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hexOf(bytes: Uint8Array): string {
  return viewOf(bytes).toString('hex');
}
