/**
 * The few ASN.1 DER forms (X.690) that Fabric's own formats need: block headers, ECDSA signatures, and finding the signed
 * part of a revocation list. Certificates are made by a certificate library, not here.
 */

const TAG_INTEGER = 0x02;
const TAG_OCTET_STRING = 0x04;
const TAG_SEQUENCE = 0x30;

function encodeTlv(tag: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  if (content.length < 0x80) {
    length.push(content.length);
  } else {
    let rest = content.length;
    while (rest > 0) {
      length.unshift(rest & 0xff);
      rest = Math.floor(rest / 256);
    }
    length.unshift(0x80 | length.length);
  }
  const result = new Uint8Array(1 + length.length + content.length);
  result[0] = tag;
  result.set(length, 1);
  result.set(content, 1 + length.length);
  return result;
}

/** INTEGER of a non-negative big-endian magnitude; leading zeros are dropped, a sign octet is added where needed. */
export function derUnsignedInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const trimmed = magnitude.subarray(start);
  if (trimmed.length === 0) return encodeTlv(TAG_INTEGER, Uint8Array.of(0));
  if ((trimmed[0] ?? 0) < 0x80) return encodeTlv(TAG_INTEGER, trimmed);
  const signed = new Uint8Array(trimmed.length + 1);
  signed.set(trimmed, 1);
  return encodeTlv(TAG_INTEGER, signed);
}

/** INTEGER of a non-negative number. */
export function derInteger(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return derUnsignedInteger(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}

export function derOctetString(value: Uint8Array): Uint8Array {
  return encodeTlv(TAG_OCTET_STRING, value);
}

export function derSequence(...elements: Uint8Array[]): Uint8Array {
  return encodeTlv(TAG_SEQUENCE, Buffer.concat(elements));
}

/** One element of a DER encoding. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly encoded: Uint8Array;
  readonly nextOffset: number;
}

/** Reads the element at `offset`; undefined when it is not well-formed DER of a definite, minimal length. */
export function readDerElement(bytes: Uint8Array, offset = 0): DerElement | undefined {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) return undefined;
  let length = first;
  let contentStart = offset + 2;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) return undefined;
    length = 0;
    for (let i = 0; i < octets; i++) {
      const octet = bytes[contentStart + i];
      if (octet === undefined || (i === 0 && octet === 0)) return undefined;
      length = length * 256 + octet;
    }
    if (length < 0x80) return undefined;
    contentStart += octets;
  }
  const end = contentStart + length;
  if (end > bytes.length) return undefined;
  return {
    tag,
    content: bytes.subarray(contentStart, end),
    encoded: bytes.subarray(offset, end),
    nextOffset: end,
  };
}

/** The non-negative magnitude of a DER INTEGER, without sign octet; undefined when negative or not minimal. */
export function readDerUnsignedInteger(element: DerElement | undefined): Uint8Array | undefined {
  if (element?.tag !== TAG_INTEGER) return undefined;
  const [first, second] = element.content;
  if (first === undefined || first >= 0x80) return undefined;
  if (first !== 0) return element.content;
  if (second === undefined) return element.content;
  return second >= 0x80 ? element.content.subarray(1) : undefined;
}

export function isDerSequence(element: DerElement | undefined): element is DerElement {
  return element?.tag === TAG_SEQUENCE;
}
