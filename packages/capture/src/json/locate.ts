/** Finds the line of a place in a JSON text, for messages. The text must have been parsed before. */

const string = /"(?:[^"\\]|\\.)*"/y;
const scalar = /[^\s,\]}]+/y;
const space = /\s*/y;

function skip(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position;
  return pattern.test(text) ? pattern.lastIndex : position;
}

function skipValue(text: string, position: number): number {
  const first = text[position];
  if (first === '"') return skip(string, text, position);
  if (first !== '{' && first !== '[') return skip(scalar, text, position);
  let depth = 0;
  for (let index = position; index < text.length; index++) {
    const character = text[index];
    if (character === '"') index = skip(string, text, index) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return text.length;
}

function unescape(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** Offset of the member or element that `step` names in the value at `position`; `undefined` when there is none. */
function child(text: string, position: number, step: string): number | undefined {
  const isObject = text[position] === '{';
  let cursor = skip(space, text, position + 1);
  for (let index = 0; cursor < text.length && text[cursor] !== '}' && text[cursor] !== ']'; index++) {
    let name = String(index);
    if (isObject) {
      const end = skip(string, text, cursor);
      name = String(JSON.parse(text.slice(cursor, end)));
      cursor = skip(space, text, skip(space, text, end) + 1);
    }
    if (name === step) return cursor;
    cursor = skip(space, text, skipValue(text, cursor));
    if (text[cursor] === ',') cursor = skip(space, text, cursor + 1);
  }
  return undefined;
}

/** Offset of the value at an RFC 6901 pointer, or of the innermost value on the way there that exists. */
export function offsetOf(text: string, pointer: string): number {
  let position = skip(space, text, 0);
  for (const step of pointer.split('/').slice(1)) {
    const first = text[position];
    const next = first === '{' || first === '[' ? child(text, position, unescape(step)) : undefined;
    if (next === undefined) return position;
    position = next;
  }
  return position;
}

/** Line, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let next = text.indexOf('\n'); next >= 0 && next < offset; next = text.indexOf('\n', next + 1)) line += 1;
  return line;
}
