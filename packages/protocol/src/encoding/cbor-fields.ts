import { WaymarkError } from '../errors.ts';
import { decodeCbor, type DecodedCbor } from './cbor.ts';

/** Reads the fields of one decoded CBOR map and refuses what is missing, of another type, or not known. */
export interface CborFields {
  has(key: string): boolean;
  text(key: string, maxLength?: number): string;
  integer(key: string, min?: number, max?: number): number;
  /** A byte string of exactly `length` bytes, or, without it, of any. */
  bytes(key: string, length?: number): Uint8Array;
  bytesOrNull(key: string, length?: number): Uint8Array | null;
  list(key: string, maxLength: number): readonly DecodedCbor[];
  /** Whatever stands there; for a map or list that the caller reads itself. */
  any(key: string): DecodedCbor;
  /** Must equal `value`. */
  constant(key: string, value: string | number): void;
  /** Refuses fields that were not read. */
  end(): void;
}

function invalid(what: string, place: string): WaymarkError {
  return new WaymarkError('input-invalid', `${what}: ${place} does not have the expected form.`, {
    details: { place },
  });
}

/**
 * Decodes a CBOR map with text keys.
 * @param what name of the structure, for the error text
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function decodeFields(bytes: Uint8Array, what: string, maxBytes?: number): CborFields {
  const value = decodeCbor(bytes, maxBytes === undefined ? {} : { maxBytes });
  if (!(value instanceof Map)) throw invalid(what, 'the whole');
  return fieldsOf(value as ReadonlyMap<number | string, DecodedCbor>, what);
}

/** The same over a map that is decoded already; integer keys are for the caller. */
export function fieldsOf(
  map: ReadonlyMap<number | string, DecodedCbor>,
  what: string,
  alsoKnown: readonly number[] = [],
): CborFields {
  const read = new Set<number | string>(alsoKnown);
  const take = (key: string): DecodedCbor | undefined => {
    read.add(key);
    return map.get(key);
  };
  const bytes = (key: string, length?: number): Uint8Array => {
    const value = take(key);
    if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw invalid(what, key);
    return value;
  };
  return {
    has: (key) => map.has(key),
    text(key, maxLength = 256) {
      const value = take(key);
      if (typeof value !== 'string' || value.length > maxLength) throw invalid(what, key);
      return value;
    },
    integer(key, min = 0, max = Number.MAX_SAFE_INTEGER) {
      const value = take(key);
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
        throw invalid(what, key);
      return value;
    },
    bytes,
    bytesOrNull: (key, length) => (map.get(key) === null && read.add(key).has(key) ? null : bytes(key, length)),
    list(key, maxLength) {
      const value = take(key);
      if (!Array.isArray(value) || value.length > maxLength) throw invalid(what, key);
      return value as readonly DecodedCbor[];
    },
    any(key) {
      const value = take(key);
      if (value === undefined) throw invalid(what, key);
      return value;
    },
    constant(key, expected) {
      if (take(key) !== expected) throw invalid(what, key);
    },
    end() {
      for (const key of map.keys()) if (!read.has(key)) throw invalid(what, String(key));
    },
  };
}
