/** CBOR (RFC 8949) as far as COSE_Sign1 structures of this project go: no floats, no indefinite lengths, no bignums. */
export type Cbor = number | string | null | Uint8Array | readonly Cbor[] | ReadonlyMap<Cbor, Cbor> | CborTagged;

/** A tagged item. */
export class CborTagged {
  readonly tag: number;
  readonly value: Cbor;

  constructor(tag: number, value: Cbor) {
    this.tag = tag;
    this.value = value;
  }
}

const maximumDepth = 8;
const nullByte = 0xf6;

/**
 * Decodes exactly one item in its deterministic form (RFC 8949 section 4.2.1): what `encodeCbor` would not have written is refused, so
 * that no two byte strings mean the same.
 *
 * @throws RangeError when the bytes are anything else
 */
export function decodeCbor(bytes: Uint8Array): Cbor {
  const reader = new Reader(bytes);
  const value = reader.item(0);
  if (Buffer.compare(encodeCbor(value), bytes) !== 0) throw new RangeError('not deterministic CBOR');
  return value;
}

/** Encodes in deterministic form. */
export function encodeCbor(value: Cbor): Uint8Array {
  if (value === null) return Uint8Array.of(nullByte);
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value, 'utf8')]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof CborTagged) return Buffer.concat([head(6, value.tag), encodeCbor(value.value)]);
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<Cbor, Cbor>)].map(
      ([key, item]) => [encodeCbor(key), encodeCbor(item)] as const,
    );
    entries.sort(([a], [b]) => Buffer.compare(a, b));
    return Buffer.concat([head(5, entries.length), ...entries.flat()]);
  }
  const items = value as readonly Cbor[];
  return Buffer.concat([head(4, items.length), ...items.map(encodeCbor)]);
}

/** Major type and argument in the shortest form. */
function head(major: number, argument: number): Uint8Array {
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  if (argument < 0x100) return Uint8Array.of(type | 24, argument);
  if (argument < 0x10000) return Uint8Array.of(type | 25, argument >>> 8, argument & 0xff);
  const bytes = Buffer.alloc(argument < 0x100000000 ? 5 : 9);
  bytes.writeUInt8(type | (bytes.length === 5 ? 26 : 27), 0);
  if (bytes.length === 9) bytes.writeUInt32BE(Math.floor(argument / 0x100000000), 1);
  bytes.writeUInt32BE(argument % 0x100000000, bytes.length - 4);
  return bytes;
}

class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  item(depth: number): Cbor {
    if (depth > maximumDepth) throw new RangeError('nested too deeply');
    const first = this.#bytes.readUInt8(this.#offset++);
    if (first === nullByte) return null;
    const argument = this.#argument(first & 0x1f);
    switch (first >> 5) {
      case 0:
        return argument;
      case 1:
        return -1 - argument;
      case 2:
        return new Uint8Array(this.#take(argument));
      case 3:
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(argument));
      case 4:
        return this.#repeat(argument, () => this.item(depth + 1));
      case 5:
        return this.#map(argument, depth);
      case 6:
        return new CborTagged(argument, this.item(depth + 1));
      default:
        throw new RangeError('a simple value that is not used here');
    }
  }

  #map(count: number, depth: number): ReadonlyMap<Cbor, Cbor> {
    const map = new Map(this.#repeat(count, () => [this.#key(depth), this.item(depth + 1)] as const));
    if (map.size !== count) throw new RangeError('equal keys');
    return map;
  }

  #key(depth: number): number | string {
    const key = this.item(depth + 1);
    if (typeof key !== 'number' && typeof key !== 'string') throw new RangeError('a key of another kind');
    return key;
  }

  #repeat<T>(count: number, read: () => T): T[] {
    // Each item takes a byte at least, so a count that lies runs into the end and allocates nothing.
    if (count > this.#bytes.length - this.#offset) throw new RangeError('cut short');
    return Array.from({ length: count }, read);
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw new RangeError('an indefinite length');
    const bytes = this.#take(2 ** (info - 24));
    const value = bytes.length === 8 ? Number(bytes.readBigUInt64BE()) : bytes.readUIntBE(0, bytes.length);
    if (!Number.isSafeInteger(value)) throw new RangeError('an integer over 2^53');
    return value;
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#offset) throw new RangeError('cut short');
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }
}
