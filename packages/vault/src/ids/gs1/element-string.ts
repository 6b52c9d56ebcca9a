import { gs1Identifier, keys, type Gs1Identifier } from './identifier.ts';

/** Application identifiers an element string may begin a further element with. */
const qualifierAis = new Set([...keys.values()].flatMap((entry) => entry.qualifiers.flat()));

/**
 * Reads the human-readable element string `(01)09521234543213(21)ABC`. A "(" inside a value is only taken for a
 * new element when a known qualifier follows it.
 */
export function parseElementString(value: string): Gs1Identifier | null {
  const elements: [string, string][] = [];
  const heads = [...value.matchAll(/\((\d{2,4})\)/g)].filter(
    (head) => (head.index === 0 && keys.has(head[1] ?? '')) || (head.index > 0 && qualifierAis.has(head[1] ?? '')),
  );
  if (heads[0]?.index !== 0) return null;
  for (const [index, head] of heads.entries()) {
    const end = heads[index + 1]?.index ?? value.length;
    elements.push([head[1] ?? '', value.slice(head.index + head[0].length, end)]);
  }
  return gs1Identifier(elements);
}
