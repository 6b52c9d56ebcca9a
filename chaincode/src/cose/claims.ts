import { refuseInput } from '../errors.ts';
import type { JsonValue } from '../json/parse.ts';
import type { Reader } from '../json/readers.ts';
import { CborTagged, type Cbor } from './cbor.ts';

/** Tag of a link in dag-cbor, and the byte its CID begins with there. */
const linkTag = 42;
const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** What JSON has no form for begins with a character that no text may have, so that a text never passes for it. */
const bytesMark = '\u0000bytes:';
const linkMark = '\u0000link:';

/** CBOR as JSON, so that one set of readers takes all input apart. `byteString` reads bytes, `link` reads links. */
export function toJson(value: Cbor, place: string): JsonValue {
  if (value instanceof Uint8Array) return bytesMark + Buffer.from(value).toString('hex');
  if (typeof value === 'string') return value.includes('\u0000') ? refuseInput(place, 'contains U+0000') : value;
  if (Array.isArray(value)) return (value as readonly Cbor[]).map((item) => toJson(item, place));
  if (value instanceof Map) {
    const object = Object.create(null) as Record<string, JsonValue>;
    for (const [key, item] of value as ReadonlyMap<Cbor, Cbor>) {
      if (typeof key !== 'string' || key === '__proto__') return refuseInput(place, 'has a key that is not allowed');
      object[key] = toJson(item, place);
    }
    return object;
  }
  if (value === null || typeof value === 'number') return value;
  if (value instanceof CborTagged && value.tag === linkTag && value.value instanceof Uint8Array && value.value[0] === 0)
    return linkMark + cidText(value.value.subarray(1));
  return refuseInput(place, 'has a field of another form');
}

/** A byte string of this many bytes, as lower-case hex. */
export function byteString(minimum: number, maximum: number): Reader<string> {
  return (value, place) => {
    const hex = typeof value === 'string' && value.startsWith(bytesMark) ? value.slice(bytesMark.length) : undefined;
    return hex !== undefined && hex.length >= minimum * 2 && hex.length <= maximum * 2
      ? hex
      : refuseInput(place, `is not a byte string of ${minimum} to ${maximum} bytes`);
  };
}

/** A link (dag-cbor), as the CID's text. */
export function link(cid: Reader<string>): Reader<string> {
  return (value, place) =>
    typeof value === 'string' && value.startsWith(linkMark)
      ? cid(value.slice(linkMark.length), place)
      : refuseInput(place, 'is not a link');
}

/** The base32 text of a CID's bytes (multibase `b`, RFC 4648 section 6 without padding, lower case). */
export function cidText(bytes: Uint8Array): string {
  let text = 'b';
  let bits = 0;
  let buffered = 0;
  for (const byte of bytes) {
    buffered = (buffered << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32.charAt((buffered >>> bits) & 31);
    }
    buffered &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + base32.charAt((buffered << (5 - bits)) & 31);
}

/** Decodes base64url of at most this many bytes. Throws `input-invalid` for any other text of them, too. */
export function decodeBase64url(text: string, place: string, maximumBytes: number): Uint8Array {
  if (text.length > (maximumBytes * 4) / 3) return refuseInput(place, `is longer than ${maximumBytes} bytes`);
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : refuseInput(place, 'is not base64url');
}
