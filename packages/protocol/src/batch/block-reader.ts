import type { CID } from 'multiformats/cid';
import { cidBytes, decodeCid, rawCode } from '../cid/cid.ts';
import { WaymarkError } from '../errors.ts';
import type { BatchBlock, BatchLeaf } from './batch.ts';
import { maxBatchRecords } from './statement.ts';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** The parts of a block that are always the same, in the order that dag-cbor puts keys in: the shorter first. */
const part = {
  /** A map of five; v: 1; type: "waymark/batch"; "leaves" follows. */
  head: ascii('\xa5\x61v\x01\x64type\x6dwaymark/batch\x66leaves'),
  signature: ascii('\x69signature'),
  statement: ascii('\x69statement'),
  /** An array of two; 32 bytes follow. */
  leaf: ascii('\x82\x58\x20'),
  /** Tag 42; 37 bytes follow, the first of them 0: an IPLD link. */
  link: ascii('\xd8\x2a\x58\x25\x00'),
} as const;
const oidBytes = 32;
const major = { bytes: 0x40, array: 0x80 } as const;

/**
 * Reads the one dag-cbor form a batch has, byte by byte. A general decoder costs several times as much, builds what a
 * hostile block asks for, and takes forms that an encoder would not write.
 * @throws WaymarkError input-invalid
 */
export function readBatchBlock(bytes: Uint8Array): BatchBlock {
  const cursor = new Cursor(bytes);
  cursor.expect(part.head);
  const count = cursor.length(major.array);
  if (count === 0 || count > maxBatchRecords) throw invalid();
  const leaves: BatchLeaf[] = [];
  while (leaves.length < count) leaves.push(readLeaf(cursor));
  cursor.expect(part.signature);
  const signature = cursor.take(cursor.length(major.bytes));
  cursor.expect(part.statement);
  const statement = cursor.take(cursor.length(major.bytes));
  cursor.end();
  return { statement, signature, leaves };
}

function readLeaf(cursor: Cursor): BatchLeaf {
  cursor.expect(part.leaf);
  const recordOid = cursor.take(oidBytes);
  cursor.expect(part.link);
  return { recordOid, cid: linkOf(cursor.take(cidBytes)) };
}

function linkOf(bytes: Uint8Array): CID {
  return decodeCid(bytes, [rawCode]);
}

function invalid(): WaymarkError {
  return new WaymarkError('input-invalid', 'The block is not a batch.');
}

class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw invalid();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  expect(constant: Uint8Array): void {
    for (const byte of constant) {
      if (this.#bytes[this.#at] !== byte) throw invalid();
      this.#at += 1;
    }
  }

  /** A head of this major type, in its shortest form; three bytes are enough for every length here. */
  length(majorType: number): number {
    const head = this.#byte() - majorType;
    if (head >= 0 && head < 24) return head;
    const first = this.#byte();
    if (head === 24 && first >= 24) return first;
    const length = first * 256 + this.#byte();
    if (head === 25 && length > 255) return length;
    throw invalid();
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw invalid();
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw invalid();
    this.#at += 1;
    return byte;
  }
}
