import { WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { maxBlockSizeBytes } from '../store/limits.ts';
import type { Block } from '../store/content-store.ts';
import { rawCode, requireContentCid } from './content-cid.ts';
import { linksOf } from './links.ts';
import { sameBytes, sha256 } from './sha256.ts';

/** Whether these bytes are the ones the CID names. */
export function matchesCid(cid: CID, bytes: Uint8Array): boolean {
  return sameBytes(sha256(bytes), cid.multihash.digest);
}

/**
 * Passes bytes on only when they are the ones asked for (S7).
 * @param source where they came from, for the error's details: a word, never an address with credentials
 * @throws `data-abnormal`
 */
export function requireMatch(cid: CID, bytes: Uint8Array, source: string): Uint8Array {
  if (!matchesCid(cid, bytes)) throw abnormal(cid, source, 'hash-mismatch');
  return bytes;
}

/**
 * Checks what can be told of a block without reading its bytes: the form of its CID and its size.
 * @throws `input-invalid`, `limit-exceeded`
 */
export function requireBlockForm({ cid, bytes }: Block): void {
  requireContentCid(cid);
  if (!(bytes instanceof Uint8Array))
    throw new WaymarkError('input-invalid', 'The bytes of a block are not a byte array.');
  if (bytes.length > maxBlockSizeBytes) {
    throw new WaymarkError('limit-exceeded', 'The block is larger than 2 MiB.', {
      details: { cid: cid.toString(), sizeBytes: bytes.length, limitBytes: maxBlockSizeBytes },
    });
  }
}

/**
 * Checks a block before it is stored: its CID, its size, its hash and that links can be read from it.
 * @throws `input-invalid`, `limit-exceeded`, `data-abnormal`
 */
export function requireStorable(block: Block): void {
  requireBlockForm(block);
  const { cid, bytes } = block;
  requireMatch(cid, bytes, 'caller');
  if (cid.code !== rawCode) linksOf({ cid, bytes });
}

export function abnormal(cid: CID, source: string, reason: string): WaymarkError {
  return new WaymarkError('data-abnormal', 'The stored bytes are not the ones this CID names.', {
    details: { cid: cid.toString(), source, reason },
  });
}

export function missing(cid: CID, source: string): WaymarkError {
  return new WaymarkError('unavailable', 'The block is not here.', {
    details: { cid: cid.toString(), source, reason: 'missing' },
  });
}
