import { refuseInput } from '../errors.ts';

/** A parsed value; objects have no prototype. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

const maximumDepth = 8;

/**
 * Parses one JSON text (RFC 8259) strictly: no duplicate keys, no `__proto__`, no lone surrogates, no U+0000, nesting of at most 8,
 * numbers finite. `JSON.parse` would silently keep the last of two equal keys, so two readers could see two different documents.
 *
 * @throws `input-invalid` with the place
 */
export function parseJson(text: string, place: string): JsonValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuseInput(place, 'is not JSON');
  }
  const scanner = new Scanner(text, place);
  scanner.scan();
  return check(value, place);
}

/** Walks a text that `JSON.parse` accepted, to see what it does not show: equal keys and depth. */
class Scanner {
  #position = 0;
  readonly #text: string;
  readonly #place: string;

  constructor(text: string, place: string) {
    this.#text = text;
    this.#place = place;
  }

  scan(): void {
    const open: (Set<string> | null)[] = [];
    let expectKey = false;
    while (this.#position < this.#text.length) {
      const character = this.#text.charAt(this.#position);
      if (character === '"') {
        const start = this.#position;
        this.#skipString();
        const keys = open.at(-1);
        if (expectKey && keys) {
          const key = JSON.parse(this.#text.slice(start, this.#position)) as string;
          if (key === '__proto__') refuseInput(this.#place, 'has a key that is not allowed');
          if (keys.has(key)) refuseInput(this.#place, 'has the same key twice');
          keys.add(key);
          expectKey = false;
        }
        continue;
      }
      this.#position++;
      if (character === '{' || character === '[') {
        open.push(character === '{' ? new Set() : null);
        if (open.length > maximumDepth) refuseInput(this.#place, `is nested deeper than ${maximumDepth}`);
        expectKey = character === '{';
      } else if (character === '}' || character === ']') {
        open.pop();
        expectKey = false;
      } else if (character === ',') {
        expectKey = open.at(-1) instanceof Set;
      }
    }
  }

  #skipString(): void {
    for (this.#position++; this.#text.charAt(this.#position) !== '"'; this.#position++) {
      if (this.#text.charAt(this.#position) === '\\') this.#position++;
    }
    this.#position++;
  }
}

function check(value: unknown, place: string): JsonValue {
  if (typeof value === 'string') {
    checkText(value, place);
    return value;
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : refuseInput(place, 'is not a finite number');
  }
  if (value === null || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((item, index) => check(item, `${place}[${index}]`));
  const copy = Object.create(null) as JsonObject;
  for (const [key, member] of Object.entries(value as object)) {
    checkText(key, place);
    copy[key] = check(member, `${place}.${key}`);
  }
  return copy;
}

function checkText(text: string, place: string): void {
  if (text.includes('\u0000')) refuseInput(place, 'contains U+0000');
  if (hasLoneSurrogate(text)) refuseInput(place, 'contains a lone surrogate');
}

/** Whether a UTF-16 string has half a surrogate pair (`isWellFormed` needs Node 20; the chaincode runs on 18). */
export function hasLoneSurrogate(text: string): boolean {
  return /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}
