import canonicalize from 'canonicalize';
import { WaymarkError } from '../errors.ts';
import type { JsonValue } from '../record/record.ts';

/**
 * JSON in its canonical form (RFC 8785, JCS).
 * @throws WaymarkError input-invalid for what JSON cannot say (non-finite numbers, lone surrogates)
 */
export function canonicalJson(value: JsonValue): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The value has no canonical JSON form.', { cause });
  }
  if (text === undefined || !text.isWellFormed())
    throw new WaymarkError('input-invalid', 'The value has no canonical JSON form.');
  return text;
}

/** UTF-8 bytes of `canonicalJson`. */
export function canonicalJsonBytes(value: JsonValue): Uint8Array {
  return Buffer.from(canonicalJson(value), 'utf8');
}
