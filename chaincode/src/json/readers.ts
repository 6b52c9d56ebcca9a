import { refuseInput } from '../errors.ts';
import { parseJson, type JsonValue } from './parse.ts';

/** Takes a parsed value apart, or refuses it with `input-invalid` and its place. */
export type Reader<T> = (value: JsonValue, place: string) => T;

type Shape = Readonly<Record<string, Reader<unknown>>>;
type Read<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

/** Parses a JSON argument and reads it. */
export function readArgument<T>(text: string, name: string, reader: Reader<T>): T {
  return reader(parseJson(text, name), name);
}

/** An object with exactly these members. */
export function object<S extends Shape>(shape: S): Reader<Read<S>> {
  return (value, place) => readMembers(value, place, shape, {}) as Read<S>;
}

/** An object with exactly these members, of which those of `optional` may be absent. */
export function objectWithOptional<S extends Shape, O extends Shape>(
  required: S,
  optional: O,
): Reader<Read<S> & Partial<Read<O>>> {
  return (value, place) => readMembers(value, place, required, optional) as Read<S> & Partial<Read<O>>;
}

function readMembers(value: JsonValue, place: string, required: Shape, optional: Shape): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return refuseInput(place, 'is not an object');
  const known: Shape = { ...required, ...optional };
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(known, key)) refuseInput(place, 'has a field that is not known');
  }
  const result: Record<string, unknown> = {};
  for (const [key, reader] of Object.entries(known)) {
    const member = value[key];
    if (member !== undefined) result[key] = reader(member, `${place}.${key}`);
    else if (Object.hasOwn(required, key)) refuseInput(`${place}.${key}`, 'is missing');
  }
  return result;
}

/** An array of `minimum` to `maximum` items. */
export function array<T>(item: Reader<T>, minimum: number, maximum: number): Reader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return refuseInput(place, 'is not an array');
    if (value.length < minimum || value.length > maximum)
      return refuseInput(place, `has not ${minimum} to ${maximum} items`);
    return value.map((entry, index) => item(entry, `${place}[${index}]`));
  };
}

/** A string of this pattern; `form` names it in the refusal. */
export function pattern(expression: RegExp, form: string): Reader<string> {
  return (value, place) =>
    typeof value === 'string' && expression.test(value) ? value : refuseInput(place, `is not ${form}`);
}

/** One of these words. */
export function oneOf<T extends string>(...words: readonly T[]): Reader<T> {
  return (value, place) =>
    words.find((word) => word === value) ?? refuseInput(place, `is not one of ${words.join(', ')}`);
}

/** An integer between bounds, written as a JSON number. */
export function integer(minimum: number, maximum: number): Reader<number> {
  return (value, place) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum
      ? value
      : refuseInput(place, `is not an integer from ${minimum} to ${maximum}`);
}

/** An integer between bounds, given as a decimal string (a plain argument). */
export function decimal(text: string, place: string, minimum: number, maximum: number): number {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return refuseInput(place, 'is not a decimal integer');
  return integer(minimum, maximum)(Number(text), place);
}

/** Either null or what `reader` takes. */
export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value, place) => (value === null ? null : reader(value, place));
}
