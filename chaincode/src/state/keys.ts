import { refuseInput } from '../errors.ts';
import { hasLoneSurrogate } from '../json/parse.ts';
import type { Stored } from './stored.ts';

/** A key of the world state that holds a `T`. */
export interface StateKey<T extends Stored> {
  readonly key: string;
  /** Never set: it only ties the key to the type of its value. */
  readonly holds?: T;
}

const maximumPartBytes = 256;
const maximumSequence = Number.MAX_SAFE_INTEGER;

/** Why a string cannot be a part of a composite key, or undefined when it can. */
export function partProblem(part: string): string | undefined {
  if (part === '') return 'is empty';
  if (part.includes('\u0000') || part.includes('\u{10ffff}')) return 'contains U+0000 or U+10FFFF';
  if (hasLoneSurrogate(part)) return 'contains a lone surrogate';
  if (part !== part.normalize('NFC')) return 'is not in Unicode form NFC';
  if (Buffer.byteLength(part, 'utf8') > maximumPartBytes) return `is longer than ${maximumPartBytes} bytes`;
  return undefined;
}

/** Why a string cannot be an MSP id or enrolment id: as a key part, and without `/` (it divides evidence ids) or control characters. */
export function identifierProblem(text: string): string | undefined {
  const problem = partProblem(text);
  if (problem !== undefined) return problem;
  return /[\u0000-\u001f\u007f-\u009f/]/.test(text) ? 'contains a slash or a control character' : undefined;
}

/**
 * The composite key of an object type and its parts, in Fabric's layout: U+0000, type, U+0000, part, U+0000, ... The shim does
 * not look into the parts, so two ids could come to share one key; here every part is checked.
 *
 * @throws `input-invalid` naming the part
 */
export function compositeKey<T extends Stored>(objectType: string, parts: readonly string[]): StateKey<T> {
  for (const [index, part] of parts.entries()) {
    const problem = partProblem(part);
    if (problem !== undefined) refuseInput(`key ${objectType} part ${index + 1}`, problem);
  }
  return { key: `\u0000${[objectType, ...parts].join('\u0000')}\u0000` };
}

/** A sequence number as a key part: 16 digits, so that keys sort by number. */
export function sequencePart(sequence: number): string {
  if (!Number.isSafeInteger(sequence) || sequence < 1 || sequence > maximumSequence)
    throw new RangeError('sequence out of range');
  return String(sequence).padStart(16, '0');
}
