/** Protobuf's wire form without a schema: enough to damage any message at any level and keep what is around it whole. */

export const VARINT = 0;
export const I64 = 1;
export const LEN = 2;
export const I32 = 5;

/** One field; a length-delimited one that itself reads as a message has children. */
export interface WireField {
  number: number;
  type: number;
  /** Varint, I64 and I32 as they lie on the wire; content of a length-delimited field without its length. */
  value: Buffer;
  children: WireField[] | undefined;
  /** Written instead of the true length. */
  claimedLength?: Buffer;
}

const MAX_FIELD_NUMBER = 2 ** 29 - 1;

export function encodeVarint(value: number | bigint): Buffer {
  let rest = BigInt(value);
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

/** The fields of a message, or undefined when the bytes are none. */
export function parseFields(bytes: Buffer, depth = 0): WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): { value: number; raw: Buffer } | undefined => {
    const start = at;
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, raw: bytes.subarray(start, at) };
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined || tag.value > 2 ** 32) return undefined;
    const number = Math.floor(tag.value / 8);
    const type = tag.value % 8;
    if (number === 0 || number > MAX_FIELD_NUMBER) return undefined;
    let value: Buffer | undefined;
    if (type === VARINT) value = varint()?.raw;
    else if (type === I64 || type === I32) {
      const size = type === I64 ? 8 : 4;
      value = at + size <= bytes.length ? bytes.subarray(at, at + size) : undefined;
      at += size;
    } else if (type === LEN) {
      const length = varint();
      if (length === undefined || at + length.value > bytes.length) return undefined;
      value = bytes.subarray(at, at + length.value);
      at += length.value;
    }
    if (value === undefined) return undefined;
    const nested = type === LEN && value.length > 1 && depth < 20 ? parseFields(value, depth + 1) : undefined;
    fields.push({ number, type, value, children: nested });
  }
  return fields;
}

export function encodeFields(fields: readonly WireField[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const tag = encodeVarint(field.number * 8 + field.type);
      if (field.type !== LEN) return [tag, field.value];
      const content = field.children === undefined ? field.value : encodeFields(field.children);
      return [tag, field.claimedLength ?? encodeVarint(content.length), content];
    }),
  );
}
