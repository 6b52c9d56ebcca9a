import { WaymarkError } from '../errors.ts';
import type { JsonValue } from '../record/record.ts';
import { checkJson } from '../record/validate.ts';

/** Limits on one JSON text. */
export interface JsonLimits {
  readonly maxBytes?: number;
}

const defaultMaxBytes = 4 * 1024 * 1024;
const maxDepth = 64;

/**
 * Parses one JSON text (RFC 8259, I-JSON of RFC 7493) strictly: UTF-8, no equal keys, no `__proto__`, texts in NFC without lone surrogates, numbers
 * finite and integers within ±(2^53 − 1). `JSON.parse` alone keeps the last of two equal keys and turns 1e400 into infinity, so that two
 * readers could see two documents.
 * @throws WaymarkError input-invalid (details: place, a JSON pointer), limit-exceeded
 */
export function parseJsonStrict(text: string | Uint8Array, { maxBytes = defaultMaxBytes }: JsonLimits = {}): JsonValue {
  const size = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
  if (size > maxBytes) {
    throw new WaymarkError('limit-exceeded', 'The JSON text is too large.', { details: { sizeBytes: size, maxBytes } });
  }
  let source: string;
  let value: unknown;
  try {
    source = typeof text === 'string' ? text : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
    value = JSON.parse(source);
  } catch {
    // The engine's message quotes the text, which may be somebody's payload.
    throw new WaymarkError('input-invalid', 'The text is not JSON.', { details: { place: '', reason: 'is not JSON' } });
  }
  refuseEqualKeys(source);
  checkJson(value, '');
  return value;
}

interface OpenContainer {
  /** Keys seen; undefined in a list. */
  readonly keys: Set<string> | undefined;
  /** Key or index of the member that is being read. */
  at: string | number;
}

/** Walks a text that `JSON.parse` took, to see what the value no longer shows: equal keys, and depth before recursion meets it. */
function refuseEqualKeys(text: string): void {
  const open: OpenContainer[] = [];
  let expectKey = false;
  let position = 0;
  while (position < text.length) {
    const character = text.charCodeAt(position);
    if (character === quote) {
      const end = endOfString(text, position);
      if (expectKey) noteKey(JSON.parse(text.slice(position, end)) as string, open);
      expectKey = false;
      position = end;
      continue;
    }
    position += 1;
    if (character === openBrace || character === openBracket) {
      if (open.length >= maxDepth) refuse(open, `is nested deeper than ${maxDepth}`);
      expectKey = character === openBrace;
      open.push(expectKey ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 });
    } else if (character === closeBrace || character === closeBracket) {
      open.pop();
      expectKey = false;
    } else if (character === comma) {
      const container = open.at(-1);
      expectKey = container?.keys !== undefined;
      if (container !== undefined && typeof container.at === 'number') container.at += 1;
    }
  }
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, comma] = [...'"\\{}[],'].map((c) =>
  c.charCodeAt(0),
);

function endOfString(text: string, start: number): number {
  for (let position = start + 1; ; position += 1) {
    const character = text.charCodeAt(position);
    if (character === backslash) position += 1;
    else if (character === quote) return position + 1;
  }
}

function noteKey(key: string, open: readonly OpenContainer[]): void {
  const container = open.at(-1);
  if (container?.keys === undefined) return;
  container.at = key;
  if (container.keys.has(key)) refuse(open, 'occurs twice');
  if (key === '__proto__') refuse(open, 'is a field name that is not allowed');
  container.keys.add(key);
}

function refuse(open: readonly OpenContainer[], reason: string): never {
  const place = open.map(({ at }) => `/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  throw new WaymarkError('input-invalid', `${place} ${reason}`, { details: { place, reason } });
}
