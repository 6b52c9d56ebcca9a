import { decode, Tagged } from 'cborg';
import { WaymarkError } from '../errors.ts';
import { checkCborShape } from './cbor-shape.ts';
import { writeCbor } from './cbor-writer.ts';

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

/** What decoding gives: every map is a `Map` whose keys are texts or integers. */
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

/** Limits on one CBOR item. */
export interface CborLimits {
  /** Default 16 MiB. */
  readonly maxBytes?: number;
  /** Most data items in it, one inside the other or not. Default 1,000,000: small items cost far more memory than bytes. */
  readonly maxItems?: number;
}

/** COSE's tags that we use: Encrypt0, Sign1, Encrypt. */
const knownTags = [16, 18, 96];
const defaultMaxBytes = 16 * 1024 * 1024;
const defaultMaxItems = 1_000_000;
const maxDepth = 16;

const decodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  tags: Tagged.preserve(...knownTags),
};

const isTagged = (value: object): value is Tagged => value instanceof Tagged;

/** Wraps a value in a tag. */
export function cborTag(tag: number, value: CborValue): CborTag {
  return new Tagged(tag, value);
}

/** Whether a decoded value carries this tag. */
export function isCborTag(value: DecodedCbor, tag: number): value is DecodedCborTag {
  return value instanceof Tagged && value.tag === tag;
}

/**
 * Deterministic CBOR (RFC 8949 section 4.2.1): shortest forms, definite lengths, map keys in bytewise order.
 * @throws WaymarkError input-invalid for what has no one form: floats, undefined, texts with lone surrogates, keys of other kinds
 */
export function encodeCbor(value: CborValue): Uint8Array {
  return writeCbor(value, isTagged);
}

/**
 * Decodes exactly one deterministic CBOR item: what `encodeCbor` would not have written is refused, so that two byte strings
 * never mean the same.
 * @throws WaymarkError input-invalid, limit-exceeded (bytes, items or more than 16 levels)
 */
export function decodeCbor(
  bytes: Uint8Array,
  { maxBytes = defaultMaxBytes, maxItems = defaultMaxItems }: CborLimits = {},
): DecodedCbor {
  if (bytes.length > maxBytes) {
    throw new WaymarkError('limit-exceeded', 'The CBOR item is too large.', {
      details: { sizeBytes: bytes.length, maxBytes },
    });
  }
  checkCborShape(bytes, { maxDepth, maxItems });
  let value: DecodedCbor;
  let again: Uint8Array;
  try {
    value = decode(bytes, decodeOptions) as DecodedCbor;
    again = writeCbor(value, isTagged);
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The bytes are not the CBOR that is expected here.', { cause });
  }
  if (Buffer.compare(again, bytes) !== 0)
    throw new WaymarkError('input-invalid', 'The CBOR is not in its deterministic form.');
  return value;
}
