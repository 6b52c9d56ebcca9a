import { decode, encode, rfc8949EncodeOptions, Tagged } from 'cborg';
import { WaymarkError } from '../errors.ts';

/** What we put into CBOR: no floats, no undefined, no indefinite lengths. Maps with integer keys are `Map`s. */
export type CborValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | CborTag
  | readonly CborValue[]
  | ReadonlyMap<number | string, CborValue>
  | { readonly [key: string]: CborValue };

/** A tagged value (RFC 8949 section 3.4). */
export interface CborTag {
  readonly tag: number;
  readonly value: CborValue;
}

/** What decoding gives: every map is a `Map`. */
export type DecodedCbor =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | DecodedCborTag
  | readonly DecodedCbor[]
  | ReadonlyMap<number | string, DecodedCbor>;

/** A tagged value as decoded. */
export interface DecodedCborTag {
  readonly tag: number;
  readonly value: DecodedCbor;
}

/** COSE's tags that we use: Encrypt0, Sign1, Encrypt. */
const knownTags = [16, 18, 96];
const defaultMaxBytes = 16 * 1024 * 1024;
const maxDepth = 16;

/** Wraps a value in a tag. */
export function cborTag(tag: number, value: CborValue): CborTag {
  return new Tagged(tag, value) as unknown as CborTag;
}

/** Whether a decoded value carries this tag. */
export function isCborTag(value: DecodedCbor, tag: number): value is DecodedCborTag {
  return value instanceof Tagged && value.tag === tag;
}

/** Deterministic CBOR (RFC 8949 section 4.2.1): shortest forms, definite lengths, map keys in bytewise order. */
export function encodeCbor(value: CborValue): Uint8Array {
  return encode(value, rfc8949EncodeOptions);
}

/**
 * Decodes exactly one deterministic CBOR item: what `encodeCbor` would not have written is refused, so that two byte strings
 * never mean the same.
 * @throws WaymarkError input-invalid, limit-exceeded (more than `maxBytes`)
 */
export function decodeCbor(bytes: Uint8Array, { maxBytes = defaultMaxBytes }: { maxBytes?: number } = {}): DecodedCbor {
  if (bytes.length > maxBytes) {
    throw new WaymarkError('limit-exceeded', 'The CBOR item is too large.', {
      details: { sizeBytes: bytes.length, maxBytes },
    });
  }
  checkDepth(bytes);
  let value: DecodedCbor;
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      useMaps: true,
      rejectDuplicateMapKeys: true,
      tags: Tagged.preserve(...knownTags),
    }) as DecodedCbor;
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The bytes are not the CBOR that is expected here.', { cause });
  }
  if (Buffer.compare(encode(value, rfc8949EncodeOptions), bytes) !== 0) {
    throw new WaymarkError('input-invalid', 'The CBOR is not in its deterministic form.');
  }
  return value;
}

/** A hostile item can nest a thousand arrays in a kilobyte, and the decoder recurses: look at the heads first. */
function checkDepth(bytes: Uint8Array): void {
  const left: number[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const head = bytes[offset] ?? 0;
    const major = head >> 5;
    const info = head & 31;
    offset += 1;
    let argument = info;
    if (info >= 24 && info <= 27) {
      const width = 1 << (info - 24);
      argument = 0;
      for (let index = 0; index < width; index += 1) argument = argument * 256 + (bytes[offset + index] ?? 0);
      offset += width;
    }
    if (major === 2 || major === 3) offset += argument;
    let last = left.length - 1;
    if (last >= 0) left[last] = (left[last] ?? 0) - 1;
    if (major === 4) left.push(argument);
    else if (major === 5) left.push(argument * 2);
    else if (major === 6) left.push(1);
    if (left.length > maxDepth)
      throw new WaymarkError('limit-exceeded', 'The CBOR is nested too deeply.', { details: { maxDepth } });
    for (last = left.length - 1; last >= 0 && (left[last] ?? 0) <= 0; last -= 1) left.pop();
  }
}
