import { WaymarkError } from '../errors.ts';
import { keyProblem, maxJsonDepth, numberProblem, pointerOf, textProblem } from '../encoding/i-json.ts';
import type { JsonValue } from './record.ts';

/** A path into a value, which grows and shrinks while it is walked. */
type Path = (string | number)[];

/**
 * Refuses a part of a value.
 * @throws WaymarkError input-invalid, with the place as a JSON pointer
 */
export function refuseValue(path: readonly (string | number)[], reason: string): never {
  const place = pointerOf(path);
  throw new WaymarkError('input-invalid', `${place === '' ? 'The value' : place} ${reason}.`, {
    details: { place, reason },
  });
}

/**
 * Checks a value that was handed in: JSON as RFC 8785 can canonicalise it and every system reads alike, with the rules of
 * `parseJsonStrict`.
 * @param path where the value stands
 * @param depth how many lists and objects it stands in
 * @throws WaymarkError input-invalid
 */
export function checkJson(value: unknown, path: Path = [], depth = 0): asserts value is JsonValue {
  switch (typeof value) {
    case 'string':
      refuseIf(path, textProblem(value));
      return;
    case 'number':
      refuseIf(path, numberProblem(value));
      return;
    case 'boolean':
      return;
    case 'object':
      if (value === null) return;
      if (depth >= maxJsonDepth) refuseValue(path, `is nested deeper than ${maxJsonDepth}`);
      if (Array.isArray(value)) checkItems(value, path, depth);
      else checkMembers(value, path, depth);
      return;
    default:
      refuseValue(path, 'is not JSON');
  }
}

function refuseIf(path: Path, problem: string | undefined): void {
  if (problem !== undefined) refuseValue(path, problem);
}

function checkItems(items: readonly unknown[], path: Path, depth: number): void {
  // An index loop also sees holes, as undefined.
  const step = path.push(0) - 1;
  for (let index = 0; index < items.length; index += 1) {
    path[step] = index;
    checkJson(items[index], path, depth + 1);
  }
  path.pop();
}

function checkMembers(value: object, path: Path, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuseValue(path, 'is not a plain JSON object');
  const step = path.push('') - 1;
  for (const [key, item] of Object.entries(value)) {
    path[step] = key;
    refuseIf(path, keyProblem(key));
    checkJson(item, path, depth + 1);
  }
  path.pop();
}
