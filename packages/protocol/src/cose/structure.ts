import { type CborValue, type DecodedCbor, decodeCbor, encodeCbor, isCborTag } from '../encoding/cbor.ts';
import { WaymarkError } from '../errors.ts';

/** A COSE header map. */
export type CoseHeader = ReadonlyMap<number | string, CborValue>;
/** A COSE header map as decoded. */
export type DecodedHeader = ReadonlyMap<number | string, DecodedCbor>;

/** Header labels that we use (RFC 9052 section 3.1, RFC 9360). */
export const label = { alg: 1, kid: 4, iv: 5, x5chain: 33, x5t: 34, ephemeralKey: -1 } as const;
/** Structure tags. */
export const structureTag = { encrypt0: 16, sign1: 18, encrypt: 96 } as const;

/** `external_aad` of everything we sign or seal: no structure of one type passes for another. */
export function externalAad(type: string, channel: string): Uint8Array {
  return encodeCbor(['waymark/v1', type, channel]);
}

/** Bytes of a protected header; an empty map is an empty string (RFC 9052 section 3). */
export function encodeProtected(header: CoseHeader): Uint8Array {
  return header.size === 0 ? new Uint8Array(0) : encodeCbor(header);
}

/** @throws WaymarkError input-invalid */
export function decodeProtected(bytes: Uint8Array): DecodedHeader {
  if (bytes.length === 0) return new Map();
  const header = decodeCbor(bytes);
  if (!(header instanceof Map)) throw malformed('its protected header is not a map');
  return header as DecodedHeader;
}

/**
 * Takes a tagged COSE structure apart.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function decodeStructure(
  bytes: Uint8Array,
  tag: number,
  length: number,
  maxBytes: number,
): readonly DecodedCbor[] {
  const value = decodeCbor(bytes, { maxBytes });
  if (!isCborTag(value, tag) || !Array.isArray(value.value) || value.value.length !== length) {
    throw malformed('it is not the structure that is expected here');
  }
  return value.value as readonly DecodedCbor[];
}

/** A byte string element. @throws WaymarkError input-invalid */
export function bytesOf(value: DecodedCbor | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed('a byte string is missing');
  return value;
}

/** A map element. @throws WaymarkError input-invalid */
export function headerOf(value: DecodedCbor | undefined): DecodedHeader {
  if (!(value instanceof Map)) throw malformed('a header is missing');
  return value as DecodedHeader;
}

/** The error for a COSE message that has not the form it must have. */
export function malformed(reason: string): WaymarkError {
  return new WaymarkError('input-invalid', `The COSE message is malformed: ${reason}.`);
}
