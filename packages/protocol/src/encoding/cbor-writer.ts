import { WaymarkError } from '../errors.ts';

/** A tag and what it is put on, as the writer takes it. */
export interface Tagging {
  readonly tag: number;
  readonly value: unknown;
}

/** Far above what a reader takes; a value that holds itself ends here. */
const maxDepth = 256;
const major = { unsigned: 0x00, negative: 0x20, bytes: 0x40, text: 0x60, list: 0x80, map: 0xa0, tag: 0xc0 } as const;
const simple = { false: 0xf4, true: 0xf5, null: 0xf6 } as const;

/**
 * Writes deterministic CBOR (RFC 8949 section 4.2.1) in two passes, the first for the size, so that nothing is copied and no other buffer has
 * ever held what is written.
 *
 * @param isTag tells tags from maps
 * @throws WaymarkError input-invalid for what has no one form
 */
export function writeCbor(value: unknown, isTag: (value: object) => value is Tagging): Uint8Array {
  const maps: Entry[][] = [];
  const size = new Measurement(isTag, maps).sizeOf(value, 0);
  const bytes = Buffer.allocUnsafe(size);
  new Writing(isTag, maps, bytes).write(value);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, size);
}

/** One entry of a map; its key's size is what texts are sorted by first. */
interface Entry {
  readonly key: string | number;
  readonly keySize: number;
  readonly value: unknown;
}

class Measurement {
  readonly #isTag: (value: object) => value is Tagging;
  /** The entries of each map in order, in the order in which the maps are met: the second pass takes them from here. */
  readonly #maps: Entry[][];

  constructor(isTag: (value: object) => value is Tagging, maps: Entry[][]) {
    this.#isTag = isTag;
    this.#maps = maps;
  }

  sizeOf(value: unknown, depth: number): number {
    switch (typeof value) {
      case 'string':
        return textSize(value);
      case 'number':
        return integerSize(value);
      case 'boolean':
        return 1;
      case 'bigint':
        if (value < -(2n ** 64n) || value >= 2n ** 64n) refuse('an integer needs more than 64 bits');
        return headSize(value < 0n ? -1n - value : value);
      case 'object':
        return value === null ? 1 : this.#sizeOfObject(value, depth);
      default:
        return refuse(`a value is of the type ${typeof value}`);
    }
  }

  #sizeOfObject(value: object, depth: number): number {
    if (value instanceof Uint8Array) return headSize(value.length) + value.length;
    if (depth >= maxDepth) refuse('it is nested too deeply');
    if (Array.isArray(value)) {
      let size = headSize(value.length);
      for (let index = 0; index < value.length; index += 1) size += this.sizeOf(value[index], depth + 1);
      return size;
    }
    if (this.#isTag(value)) return headSize(value.tag) + this.sizeOf(value.value, depth + 1);
    const entries = entriesOf(value);
    this.#maps.push(entries);
    let size = headSize(entries.length);
    for (const entry of entries) size += entry.keySize + this.sizeOf(entry.value, depth + 1);
    return size;
  }
}

class Writing {
  readonly #isTag: (value: object) => value is Tagging;
  readonly #maps: readonly (readonly Entry[])[];
  readonly #bytes: Buffer;
  #nextMap = 0;
  #offset = 0;

  constructor(isTag: (value: object) => value is Tagging, maps: readonly (readonly Entry[])[], bytes: Buffer) {
    this.#isTag = isTag;
    this.#maps = maps;
    this.#bytes = bytes;
  }

  write(value: unknown): void {
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#integer(value);
    else if (typeof value === 'boolean') this.#byte(value ? simple.true : simple.false);
    else if (typeof value === 'bigint') this.#bigInteger(value);
    else if (value instanceof Uint8Array) this.#byteString(value);
    else if (Array.isArray(value)) {
      this.#head(major.list, value.length);
      for (let index = 0; index < value.length; index += 1) this.write(value[index]);
    } else if (value === null) this.#byte(simple.null);
    else if (this.#isTag(value as object)) {
      this.#head(major.tag, (value as Tagging).tag);
      this.write((value as Tagging).value);
    } else this.#map();
  }

  #map(): void {
    const entries = this.#maps[this.#nextMap] as readonly Entry[];
    this.#nextMap += 1;
    this.#head(major.map, entries.length);
    for (const { key, value } of entries) {
      if (typeof key === 'string') this.#text(key);
      else this.#integer(key);
      this.write(value);
    }
  }

  #integer(value: number): void {
    if (value >= 0) this.#head(major.unsigned, value);
    else this.#head(major.negative, -1 - value);
  }

  #bigInteger(value: bigint): void {
    const isNegative = value < 0n;
    const argument = isNegative ? -1n - value : value;
    if (argument <= Number.MAX_SAFE_INTEGER) {
      this.#head(isNegative ? major.negative : major.unsigned, Number(argument));
      return;
    }
    this.#byte((isNegative ? major.negative : major.unsigned) | 27);
    this.#offset = this.#bytes.writeBigUInt64BE(argument, this.#offset);
  }

  #byteString(value: Uint8Array): void {
    this.#head(major.bytes, value.length);
    this.#bytes.set(value, this.#offset);
    this.#offset += value.length;
  }

  #text(value: string): void {
    const size = Buffer.byteLength(value, 'utf8');
    this.#head(major.text, size);
    this.#bytes.write(value, this.#offset, size, 'utf8');
    this.#offset += size;
  }

  #head(kind: number, argument: number): void {
    const bytes = this.#bytes;
    if (argument < 24) this.#byte(kind | argument);
    else if (argument < 0x100) {
      this.#byte(kind | 24);
      this.#byte(argument);
    } else if (argument < 0x1_0000) {
      this.#byte(kind | 25);
      this.#offset = bytes.writeUInt16BE(argument, this.#offset);
    } else if (argument < 0x1_0000_0000) {
      this.#byte(kind | 26);
      this.#offset = bytes.writeUInt32BE(argument, this.#offset);
    } else {
      this.#byte(kind | 27);
      this.#offset = bytes.writeBigUInt64BE(BigInt(argument), this.#offset);
    }
  }

  #byte(value: number): void {
    this.#bytes[this.#offset] = value;
    this.#offset += 1;
  }
}

function headSize(argument: number | bigint): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  return argument < 0x1_0000_0000 ? 5 : 9;
}

function textSize(text: string): number {
  if (!text.isWellFormed()) refuse('a text has a lone surrogate');
  const size = Buffer.byteLength(text, 'utf8');
  return headSize(size) + size;
}

function integerSize(value: number): number {
  if (!Number.isSafeInteger(value)) refuse('a number is no safe integer');
  return headSize(value < 0 ? -1 - value : value);
}

/** Entries in the bytewise order of their encoded keys. */
function entriesOf(value: object): Entry[] {
  const entries: Entry[] = [];
  if (value instanceof Map) {
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) entries.push(entryOf(key, item));
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) refuse('a value is no plain object');
    for (const key of Object.keys(value)) entries.push(entryOf(key, (value as Record<string, unknown>)[key]));
  }
  return entries.sort(byKey);
}

function entryOf(key: unknown, value: unknown): Entry {
  if (typeof key === 'string') return { key, keySize: textSize(key), value };
  if (typeof key === 'number') return { key, keySize: integerSize(key), value };
  return refuse('a map key is neither a text nor an integer');
}

/** Integers from 0 up, then from -1 down, then texts: the shorter first, those of one length by their bytes. */
function byKey({ key: a, keySize: sizeOfA }: Entry, { key: b, keySize: sizeOfB }: Entry): number {
  if (typeof a === 'number' && typeof b === 'number') {
    if (a < 0 !== b < 0) return a < 0 ? 1 : -1;
    return a < 0 ? b - a : a - b;
  }
  if (typeof a === 'number') return -1;
  if (typeof b === 'number') return 1;
  if (sizeOfA !== sizeOfB) return sizeOfA - sizeOfB;
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function refuse(reason: string): never {
  throw new WaymarkError('input-invalid', `The value has no deterministic CBOR form here: ${reason}.`);
}
