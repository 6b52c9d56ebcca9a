import { CID } from 'multiformats/cid';
import { contentCidSizeBytes, dagCborCode, dagPbCode, rawCode } from '../block/content-cid.ts';
import { matchesCid } from '../block/verify.ts';
import { carHeader, maxSectionSizeBytes, readVarint } from '../car/framing.ts';
import type { StoreFile } from '@waymark/durable-files';

/** What a scan met at a place of a segment. */
export type Scanned =
  | {
      readonly kind: 'block';
      readonly digest: Uint8Array;
      readonly payloadAt: number;
      readonly sizeBytes: number;
      /** Where the next section begins. */
      readonly end: number;
      /** Whether the payload hashes to the CID in front of it. */
      readonly intact: boolean;
    }
  /** Bytes that are no section; the scan went on behind them, or `end` is the end of the file. */
  | { readonly kind: 'damage'; readonly start: number; readonly end: number };

const windowSizeBytes = 2 * (maxSectionSizeBytes + 5);
const cidPrefixes = [rawCode, dagPbCode, dagCborCode].map((codec) => Buffer.from([1, codec, 0x12, 0x20]));

interface Window {
  readonly bytes: Buffer;
  /** Position of the first byte in the file. */
  readonly at: number;
}

interface Framed {
  readonly cidAt: number;
  readonly end: number;
}

/**
 * Walks the sections of a segment from a section border to the end of the file. Where framing is lost it looks for the
 * next section that hashes to its own CID, so that damage in the middle hides nothing behind it.
 * @param start 0, or a section border
 */
export async function* scanSegment(file: StoreFile, start: number, fileSizeBytes: number): AsyncGenerator<Scanned> {
  let position = start;
  if (position === 0) {
    const expected = carHeader([]);
    const found = await readWindow(file, 0, expected.length);
    position = Math.min(expected.length, fileSizeBytes);
    if (!found.bytes.equals(expected)) yield { kind: 'damage', start: 0, end: position };
  }
  let window: Window = { bytes: Buffer.alloc(0), at: position };
  while (position < fileSizeBytes) {
    const need = Math.min(fileSizeBytes - position, maxSectionSizeBytes + 5);
    if (position + need > window.at + window.bytes.length) window = await readWindow(file, position, windowSizeBytes);
    const framed = frameAt(window, position, fileSizeBytes);
    if (framed !== undefined) {
      const block = blockAt(window, framed);
      yield block;
      position = block.end;
      continue;
    }
    const next = await nextIntact(file, position + 1, fileSizeBytes);
    yield { kind: 'damage', start: position, end: next };
    position = next;
  }
}

async function readWindow(file: StoreFile, at: number, sizeBytes: number): Promise<Window> {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  const size = await file.read(bytes, at);
  return { bytes: bytes.subarray(0, size), at };
}

/** The section that begins at a position, if one can be framed there. */
function frameAt(window: Window, position: number, fileSizeBytes: number): Framed | undefined {
  const at = position - window.at;
  const length = readVarint(window.bytes, at, 4);
  if (length === 'short' || length === 'bad') return undefined;
  if (length.value < contentCidSizeBytes || length.value > maxSectionSizeBytes) return undefined;
  const cidAt = at + length.size;
  const end = position + length.size + length.value;
  if (end > fileSizeBytes || end > window.at + window.bytes.length) return undefined;
  if (!cidPrefixes.some((prefix) => prefix.equals(window.bytes.subarray(cidAt, cidAt + prefix.length))))
    return undefined;
  return { cidAt: window.at + cidAt, end };
}

function blockAt(window: Window, { cidAt, end }: Framed): Extract<Scanned, { kind: 'block' }> {
  const payloadAt = cidAt + contentCidSizeBytes;
  const cid = CID.decode(window.bytes.subarray(cidAt - window.at, payloadAt - window.at));
  const payload = window.bytes.subarray(payloadAt - window.at, end - window.at);
  return {
    kind: 'block',
    digest: Uint8Array.from(cid.multihash.digest),
    payloadAt,
    sizeBytes: payload.length,
    end,
    intact: matchesCid(cid, payload),
  };
}

/** The start of the next section that is framed and intact, or the end of the file. */
async function nextIntact(file: StoreFile, from: number, fileSizeBytes: number): Promise<number> {
  // Windows overlap by a section, so that one lying across a border is seen whole in the next window.
  for (let at = from; at < fileSizeBytes; at += windowSizeBytes - maxSectionSizeBytes - 5) {
    const window = await readWindow(file, at, windowSizeBytes);
    const starts = cidPrefixes.flatMap((prefix) => startsBefore(window, prefix)).sort((a, b) => a - b);
    for (const start of starts) {
      const framed = frameAt(window, start, fileSizeBytes);
      if (framed !== undefined && blockAt(window, framed).intact) return start;
    }
  }
  return fileSizeBytes;
}

/** Positions from which a length varint could lead to this CID prefix. */
function startsBefore(window: Window, prefix: Buffer): number[] {
  const starts: number[] = [];
  for (let found = window.bytes.indexOf(prefix); found >= 0; found = window.bytes.indexOf(prefix, found + 1)) {
    for (let size = 1; size <= 4; size++) {
      const length = found >= size ? readVarint(window.bytes, found - size, size) : 'short';
      if (length !== 'short' && length !== 'bad' && length.size === size) starts.push(window.at + found - size);
    }
  }
  return starts;
}
