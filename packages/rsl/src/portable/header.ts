import { decode } from '@ipld/dag-cbor';
import { cidOfDagCbor, decodeCid, WaymarkError } from '@waymark/protocol';
import { headerBytes } from '../canonical.ts';
import type { Header } from '../block/header.ts';
import { type BlockHash, noBlock } from '../ids.ts';
import { digestText, refusePortable } from './texts.ts';

/** Largest header that is read, in bytes. */
export const maxHeaderBytes = 2_048;

/**
 * Reads the block that a header is (`headerBytes`); any other bytes are refused.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length > maxHeaderBytes) {
    throw new WaymarkError('limit-exceeded', 'The header is too large.', {
      details: { sizeBytes: bytes.length, maxBytes: maxHeaderBytes },
    });
  }
  const header = fieldsOf(decoded(bytes));
  if (Buffer.compare(headerBytes(header), bytes) !== 0) refusePortable('header', 'the whole');
  return header;
}

/** Block hash of header bytes. */
export function headerHashOf(bytes: Uint8Array): BlockHash {
  return cidOfDagCbor(bytes).toString();
}

function decoded(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The header is no dag-cbor block.', { cause });
  }
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : refusePortable('header', 'the whole');
}

function fieldsOf(map: Record<string, unknown>): Header {
  const { prev } = map;
  return {
    version: 1,
    ledger: textOf(map, 'ledger'),
    epoch: numberOf(map, 'epoch', 1),
    height: numberOf(map, 'height', 1),
    term: numberOf(map, 'term', 1),
    prev: prev === null ? noBlock : linkOf(map, 'prev'),
    departments: digestOf(map, 'departments'),
    root: digestOf(map, 'root'),
    accepted: numberOf(map, 'accepted', 0),
    rejected: numberOf(map, 'rejected', 0),
    timestampMs: numberOf(map, 'timestamp', 0),
    body: linkOf(map, 'body'),
  };
}

function textOf(map: Record<string, unknown>, key: string): string {
  const value = map[key];
  return typeof value === 'string' ? value : refusePortable('header', key);
}

function numberOf(map: Record<string, unknown>, key: string, min: number): number {
  const value = map[key];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min
    ? value
    : refusePortable('header', key);
}

function digestOf(map: Record<string, unknown>, key: string): string {
  const value = map[key];
  return value instanceof Uint8Array && value.length === 32 ? digestText(value) : refusePortable('header', key);
}

function linkOf(map: Record<string, unknown>, key: string): string {
  const link = map[key];
  const bytes = typeof link === 'object' && link !== null && 'bytes' in link ? link.bytes : null;
  return bytes instanceof Uint8Array ? decodeCid(bytes).toString() : refusePortable('header', key);
}
