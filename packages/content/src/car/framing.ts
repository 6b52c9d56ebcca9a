import * as dagCbor from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { contentCidSizeBytes } from '../block/content-cid.ts';
import { maxBlockSizeBytes } from '../store/limits.ts';

/** The largest section (CID and payload) of a CAR that holds only blocks accepted here. */
export const maxSectionSizeBytes = contentCidSizeBytes + maxBlockSizeBytes;

/**
 * The root named by a CAR that has none: the empty identity CID, the customary placeholder, because CARv1 readers may
 * insist on one root.
 */
const noRoot = CID.parse('bafkqaaa');

/** The header of a CARv1: its length as an unsigned varint, then `{roots, version: 1}` in dag-cbor. */
export function carHeader(roots: readonly CID[]): Uint8Array {
  const header = dagCbor.encode({ roots: roots.length === 0 ? [noRoot] : [...roots], version: 1 });
  return Buffer.concat([varint(header.length), header]);
}

export interface Section {
  /** Length varint, CID and payload: what is appended to a CAR. */
  readonly bytes: Uint8Array;
  /** Where the payload begins in `bytes`. */
  readonly payloadAt: number;
}

/** One block as a section of a CARv1. The payload is copied, so the caller may reuse its buffer. */
export function carSection(cid: CID, payload: Uint8Array): Section {
  const name = cid.bytes;
  const length = varint(name.length + payload.length);
  const payloadAt = length.length + name.length;
  const bytes = Buffer.allocUnsafe(payloadAt + payload.length);
  bytes.set(length, 0);
  bytes.set(name, length.length);
  bytes.set(payload, payloadAt);
  return { bytes, payloadAt };
}

/** Unsigned LEB128, as used by multiformats. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/**
 * Reads a minimal unsigned varint of at most `maxBytes` bytes.
 * @returns its value and length, 'short' when more bytes are needed, 'bad' when it is not one
 */
export function readVarint(
  bytes: Uint8Array,
  at: number,
  maxBytes = 5,
): { value: number; size: number } | 'short' | 'bad' {
  let value = 0;
  let scale = 1;
  for (let size = 1; size <= maxBytes; size++) {
    const byte = bytes[at + size - 1];
    if (byte === undefined) return 'short';
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return byte === 0 && size > 1 ? 'bad' : { value, size };
    scale *= 0x80;
  }
  return 'bad';
}
