import { WaymarkError } from '../errors.ts';
import type { JsonValue } from '../record/record.ts';
import { keyProblem, maxJsonDepth, numberProblem, pointerOf, textProblem } from './i-json.ts';

/** No part of the text goes into the message: it may be somebody's payload. */
export function refuseJson(path: readonly (string | number)[], offset: number, reason: string): never {
  const place = pointerOf(path);
  throw new WaymarkError('input-invalid', `${place === '' ? 'The JSON text' : place} ${reason}.`, {
    details: { place, offset, reason },
  });
}

const code = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;
const notJson = 'is not JSON';
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const literals: readonly (readonly [string, JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** Parses one JSON text by recursive descent, with the rules of `parseJsonStrict`; the depth limit bounds the recursion. */
export class JsonParser {
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#refuse(notJson);
    return value;
  }

  #refuse(reason: string, offset = this.#at): never {
    refuseJson(this.#path, offset, reason);
  }

  #skipSpace(): void {
    for (;;) {
      const next = this.#text.charCodeAt(this.#at);
      if (next !== 0x20 && next !== 0x0a && next !== 0x0d && next !== 0x09) return;
      this.#at += 1;
    }
  }

  #value(): JsonValue {
    switch (this.#text.charCodeAt(this.#at)) {
      case code.quote: {
        const start = this.#at;
        const text = this.#string();
        const problem = textProblem(text);
        if (problem !== undefined) this.#refuse(problem, start);
        return text;
      }
      case code.openBrace:
        return this.#object();
      case code.openBracket:
        return this.#array();
      default:
        return this.#numberOrLiteral();
    }
  }

  #numberOrLiteral(): JsonValue {
    numberPattern.lastIndex = this.#at;
    const digits = numberPattern.exec(this.#text)?.[0];
    if (digits === undefined) return this.#literal();
    const value = Number(digits);
    const problem = numberProblem(value);
    if (problem !== undefined) this.#refuse(problem);
    this.#at += digits.length;
    return value;
  }

  #literal(): JsonValue {
    const found = literals.find(([word]) => this.#text.startsWith(word, this.#at));
    if (found === undefined) this.#refuse(notJson);
    this.#at += found[0].length;
    return found[1];
  }

  /** From the opening quote to behind the closing one. */
  #string(): string {
    const start = this.#at;
    let escapes = false;
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const next = this.#text.charCodeAt(at);
      if (next === code.quote) {
        this.#at = at + 1;
        return escapes ? this.#unescaped(start) : this.#text.slice(start + 1, at);
      }
      if (next < 0x20) this.#refuse(notJson, at);
      if (next === code.backslash) {
        escapes = true;
        at += 1;
      }
    }
    this.#refuse(notJson, this.#text.length);
  }

  #unescaped(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      this.#refuse(notJson, start);
    }
  }

  #array(): JsonValue {
    this.#enter();
    const items: JsonValue[] = [];
    if (!this.#ends(code.closeBracket)) {
      const step = this.#path.push(0) - 1;
      do {
        this.#path[step] = items.length;
        this.#skipSpace();
        items.push(this.#value());
      } while (this.#continues(code.closeBracket));
      this.#path.pop();
    }
    this.#depth -= 1;
    return items;
  }

  #object(): JsonValue {
    this.#enter();
    const members: Record<string, JsonValue> = {};
    if (!this.#ends(code.closeBrace)) {
      const step = this.#path.push('') - 1;
      do {
        const key = this.#key(step, members);
        this.#skipSpace();
        if (this.#text.charCodeAt(this.#at) !== code.colon) this.#refuse(notJson);
        this.#at += 1;
        this.#skipSpace();
        members[key] = this.#value();
      } while (this.#continues(code.closeBrace));
      this.#path.pop();
    }
    this.#depth -= 1;
    return members;
  }

  #key(step: number, members: Readonly<Record<string, JsonValue>>): string {
    this.#path[step] = '';
    this.#skipSpace();
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== code.quote) this.#refuse(notJson);
    const key = this.#string();
    this.#path[step] = key;
    const problem = Object.hasOwn(members, key) ? 'occurs twice' : keyProblem(key);
    if (problem !== undefined) this.#refuse(problem, start);
    return key;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > maxJsonDepth) this.#refuse(`is nested deeper than ${maxJsonDepth}`);
    this.#at += 1;
  }

  /** Whether a container that was just opened is empty. */
  #ends(close: number): boolean {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== close) return false;
    this.#at += 1;
    return true;
  }

  /** Whether another member follows; else the container has ended. */
  #continues(close: number): boolean {
    this.#skipSpace();
    const next = this.#text.charCodeAt(this.#at);
    if (next !== code.comma && next !== close) this.#refuse(notJson);
    this.#at += 1;
    return next === code.comma;
  }
}
