import { decode, encode } from '@ipld/dag-cbor';
import { bytesEqual, cidBytes, dagCborCode, decodeCid, rawCode } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { abnormalBody } from './abnormal.ts';

/** The block that a header's `body` names: where the ciphertext lies, and the envelopes that are kept with it. */
export interface BodyRoot {
  readonly ledger: string;
  /** Raw blocks that together are the ciphertext. */
  readonly parts: readonly CID[];
  /** CIDs of the accepted records' envelopes as 36 bytes each, in byte order, each once. */
  readonly links: readonly Uint8Array[];
}

const type = 'waymark/rsl-body';
/** Tag 42, a byte string of 37 bytes, the multibase prefix: how dag-cbor writes a link to a CID of ours. */
const linkHead = Uint8Array.of(0xd8, 0x2a, 0x58, 0x25, 0x00);
const linkBytes = linkHead.length + cidBytes;

/** Canonical dag-cbor. The links, thousands of them, are written as they stand; the library would take a microsecond for each. */
export function encodeBodyRoot({ ledger, parts, links }: BodyRoot): Uint8Array {
  const empty = encode({ v: 1, type, ledger, parts: [...parts], links: [] });
  const place = Buffer.from(empty).indexOf(emptyLinks) + emptyLinks.length - 1;
  const head = listHead(links.length);
  const bytes = new Uint8Array(empty.length - 1 + head.length + links.length * linkBytes);
  bytes.set(empty.subarray(0, place));
  bytes.set(head, place);
  let at = place + head.length;
  for (const cid of links) {
    bytes.set(linkHead, at);
    bytes.set(cid, at + linkHead.length);
    at += linkBytes;
  }
  bytes.set(empty.subarray(place + 1), at);
  return bytes;
}

/** Key `links` and an empty list. Keys stand in the order of their length, so that nothing but `v` and `type` is before it. */
const emptyLinks = Uint8Array.of(0x65, ...Buffer.from('links'), 0x80);

function listHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(0x80 | length);
  if (length < 0x100) return Uint8Array.of(0x98, length);
  return Uint8Array.of(0x99, length >> 8, length & 0xff);
}

/**
 * Reads a body's root; anything but the bytes that `encodeBodyRoot` writes is refused.
 * @throws WaymarkError data-abnormal
 */
export function decodeBodyRoot(bytes: Uint8Array): BodyRoot {
  let root: BodyRoot;
  try {
    const value: unknown = decode(bytes);
    if (typeof value !== 'object' || value === null) throw abnormalBody('root');
    const { ledger, parts, links } = value as Record<string, unknown>;
    if (typeof ledger !== 'string' || !Array.isArray(parts) || !Array.isArray(links)) throw abnormalBody('root');
    root = {
      ledger,
      parts: parts.map((part) => decodeCid(bytesOfLink(part), [rawCode])),
      links: links.map((link) => decodeCid(bytesOfLink(link), [rawCode, dagCborCode]).bytes),
    };
  } catch (cause) {
    throw abnormalBody('root', cause);
  }
  if (!bytesEqual(encodeBodyRoot(root), bytes)) throw abnormalBody('root');
  return root;
}

function bytesOfLink(link: unknown): Uint8Array {
  const bytes = typeof link === 'object' && link !== null && 'bytes' in link ? link.bytes : null;
  if (!(bytes instanceof Uint8Array)) throw abnormalBody('root');
  return bytes;
}
