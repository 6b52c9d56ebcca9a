import { isUtf8 } from 'node:buffer';

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Bytes in double quotes as Go's strconv.Quote writes them: bytes that are no UTF-8 one by one, in hexadecimal. */
export function quote(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length;) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(bytes.subarray(index, index + count)));
    text +=
      length === undefined || index + length > bytes.length
        ? hexadecimal('x', bytes[index] ?? 0, 2)
        : escape(Buffer.from(bytes.subarray(index, index + length)).toString('utf8'));
    index += length ?? 1;
  }
  return `"${text}"`;
}

function escape(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  if (character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x20 || codePoint === 0x7f) return hexadecimal('x', codePoint, 2);
  return codePoint < 0x10000 ? hexadecimal('u', codePoint, 4) : hexadecimal('U', codePoint, 8);
}

function hexadecimal(kind: string, value: number, digits: number): string {
  return `\\${kind}${value.toString(16).padStart(digits, '0')}`;
}
