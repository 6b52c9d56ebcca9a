import { isUtf8 } from 'node:buffer';
import { WaymarkError } from '../errors.ts';
import type { JsonValue } from '../record/record.ts';
import { JsonParser, refuseJson } from './json-parser.ts';

/** Limits on one JSON text. */
export interface JsonLimits {
  /** Default 4 MiB. */
  readonly maxBytes?: number;
}

const defaultMaxBytes = 4 * 1024 * 1024;

/**
 * Parses one JSON text (RFC 8259, I-JSON of RFC 7493) strictly: UTF-8, no equal keys, no `__proto__`, texts in NFC without lone surrogates or
 * U+0000, numbers finite and integers within ±(2^53 − 1), at most 64 levels. `JSON.parse` keeps the last of two equal keys and turns 1e400 into
 * infinity, so that two readers could see two documents.
 * @throws WaymarkError input-invalid (details: `place`, a JSON pointer; `offset`, in UTF-16 units from the start; `reason`), limit-exceeded
 */
export function parseJsonStrict(text: string | Uint8Array, { maxBytes = defaultMaxBytes }: JsonLimits = {}): JsonValue {
  const sizeBytes = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
  if (sizeBytes > maxBytes)
    throw new WaymarkError('limit-exceeded', 'The JSON text is too large.', { details: { sizeBytes, maxBytes } });
  if (typeof text === 'string') return new JsonParser(text).parse();
  // Bytes that are not UTF-8 would be decoded into something that nobody wrote.
  if (!isUtf8(text)) refuseJson([], 0, 'is not UTF-8');
  return new JsonParser(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8')).parse();
}
