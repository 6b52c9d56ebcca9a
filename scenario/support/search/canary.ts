import { randomBytes } from 'node:crypto';

/** Something secret whose bytes must not be found anywhere. */
export interface Canary {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One way in which a canary may lie somewhere. */
export interface Needle {
  readonly canary: string;
  readonly form: string;
  readonly bytes: Buffer;
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A random word that means nothing and occurs nowhere else: 20 characters, about 103 bits. */
export function canaryWord(): string {
  return `q${Array.from(randomBytes(19), (byte) => letters[byte % letters.length]).join('')}`;
}

/** Random digits, for ids that must be digits. */
export function canaryDigits(count: number): string {
  return `9${Array.from(randomBytes(count - 1), (byte) => String(byte % 10)).join('')}`;
}

/** A canary of text. */
export function textCanary(name: string, text: string): Canary {
  return { name, bytes: Buffer.from(text, 'utf8') };
}

/** Every form that is searched for: as is, hex, base64 and base64url at each alignment, and for text UTF-16 both ways. */
export function needlesOf(canary: Canary): Needle[] {
  const bytes = Buffer.from(canary.bytes);
  const forms: [string, Buffer][] = [
    ['as is', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
  ];
  for (const alignment of [0, 1, 2]) {
    const text = base64Inside(bytes, alignment);
    forms.push([`base64/${String(alignment)}`, Buffer.from(text)]);
    const url = text.replaceAll('+', '-').replaceAll('/', '_');
    if (url !== text) forms.push([`base64url/${String(alignment)}`, Buffer.from(url)]);
  }
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) {
    const little = Buffer.from(bytes.toString('ascii'), 'utf16le');
    forms.push(['UTF-16LE', little], ['UTF-16BE', Buffer.from(little).swap16()]);
  }
  return forms.map(([form, needle]) => ({ canary: canary.name, form, bytes: needle }));
}

/** The characters of a base64 text that depend on `bytes` alone when it starts `alignment` bytes after a group of three. */
function base64Inside(bytes: Buffer, alignment: number): string {
  const text = Buffer.concat([Buffer.alloc(alignment), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const whole = Math.floor(((alignment + bytes.length) * 8) / 6);
  return text.slice(Math.ceil((alignment * 8) / 6), whole);
}
