import { WaymarkError } from '../errors.ts';
import type { JsonValue } from '../record/record.ts';

/** Printable ASCII that JSON writes as it is. */
const plain = /^[ !#-[\]-~]*$/;

/**
 * JSON in its canonical form (RFC 8785, JCS). Members that are undefined are left out, as JSON does.
 * @throws WaymarkError input-invalid for what JSON cannot say (non-finite numbers, lone surrogates)
 */
export function canonicalJson(value: JsonValue): string {
  try {
    return textOf(value);
  } catch (cause) {
    // Too deep for the stack, or without an end.
    if (cause instanceof RangeError) throw refusal(cause);
    throw cause;
  }
}

/** UTF-8 bytes of `canonicalJson`. */
export function canonicalJsonBytes(value: JsonValue): Uint8Array {
  return Buffer.from(canonicalJson(value), 'utf8');
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      // ECMAScript's own spelling is the canonical one (RFC 8785 section 3.2.2.3).
      if (Number.isFinite(value)) return String(value);
      break;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? listText(value) : objectText(value as Readonly<Record<string, unknown>>);
  }
  throw refusal();
}

function listText(list: readonly unknown[]): string {
  let text = '[';
  for (let index = 0; index < list.length; index += 1) text += (index === 0 ? '' : ',') + textOf(list[index]);
  return `${text}]`;
}

function objectText(object: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const key of sorted(Object.keys(object))) {
    const value = object[key];
    if (value !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${textOf(value)}`;
  }
  return `{${text}}`;
}

/** By UTF-16 code units (RFC 8785 section 3.2.3); few keys are soonest sorted by insertion. */
function sorted(keys: string[]): string[] {
  if (keys.length > 32) return keys.sort();
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] as string;
    let place = index;
    for (; place > 0 && (keys[place - 1] as string) > key; place -= 1) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}

function quoted(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw refusal();
  return JSON.stringify(text);
}

function refusal(cause?: unknown): WaymarkError {
  return new WaymarkError('input-invalid', 'The value has no canonical JSON form.', { cause });
}
