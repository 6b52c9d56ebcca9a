import { type JsonObject, type JsonValue } from '@waymark/protocol';

/** Most places that one pointer may lead to: a list in a payload may be long. */
const maxFound = 10_000;

/**
 * What a pointer leads to in a payload. It is a JSON pointer (RFC 6901) with two additions: the segment `*` stands for every item of a list, and `*:name` for the
 * members whose name is `name` behind any prefix or namespace (`cbvmda:lotNumber`, `https://ref.gs1.org/cbv/lotNumber`, `lotNumber`).
 */
export function valuesAt(value: JsonValue, segments: readonly string[]): readonly JsonValue[] {
  let found: readonly JsonValue[] = [value];
  for (const segment of segments) {
    const next: JsonValue[] = [];
    for (const place of found) {
      for (const child of childrenOf(place, segment)) if (next.length < maxFound) next.push(child);
    }
    if (next.length === 0) return next;
    found = next;
  }
  return found;
}

/** Segments of a pointer, unescaped. @returns undefined for a text that is no pointer */
export function pointerSegments(pointer: string): readonly string[] | undefined {
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childrenOf(value: JsonValue, segment: string): readonly JsonValue[] {
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    if (segment === '*') return items;
    const item = /^(?:0|[1-9]\d{0,8})$/.test(segment) ? items[Number(segment)] : undefined;
    return item === undefined ? [] : [item];
  }
  if (typeof value !== 'object' || value === null) return [];
  const members = value as JsonObject;
  if (!segment.startsWith('*:')) return Object.hasOwn(members, segment) ? [members[segment] as JsonValue] : [];
  const name = segment.slice(2);
  return Object.entries(members)
    .filter(([key]) => lastWord(key, /[:/#]/) === name)
    .map(([, member]) => member);
}

/** What stands behind the last separator: the word of a vocabulary that was written as a bare word, a CURIE, a URN or a URL. */
export function lastWord(text: string, separator = /[:/#-]/): string {
  return text.split(separator).at(-1) ?? text;
}
