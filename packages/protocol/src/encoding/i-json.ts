/**
 * Which values two systems read alike (I-JSON, RFC 7493, with Unicode form NFC on top), and how places in them are named. One set of
 * rules for texts that are parsed and for values that are handed in.
 */

/** Most lists and objects one inside the other, the outermost counted. */
export const maxJsonDepth = 64;
/** Longest part of a key that a place shows. */
const maxShownKey = 64;

/** Why a text is refused, or undefined. ASCII, the common case, needs one look. */
export function textProblem(text: string): string | undefined {
  // The range is ASCII without NUL.
  if (/^[\u0001-\u007f]*$/.test(text)) return undefined;
  if (text.includes('\u0000')) return 'contains U+0000';
  if (!text.isWellFormed()) return 'contains a lone surrogate';
  if (text.normalize('NFC') !== text) return 'is not in Unicode form NFC';
  return undefined;
}

/** Why a number is refused, or undefined. An integer beyond 2^53 − 1 is refused however it is written: 1e30 as well. */
export function numberProblem(value: number): string | undefined {
  if (!Number.isFinite(value)) return 'is not a finite number';
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return 'is an integer beyond 2^53 - 1';
  return undefined;
}

/** Why a member name is refused, or undefined. */
export function keyProblem(key: string): string | undefined {
  return key === '__proto__' ? 'is a field name that is not allowed' : textProblem(key);
}

/** JSON pointer (RFC 6901) of a path. Long keys are cut, so that no error is as long as its input. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((step) => `/${escaped(step)}`).join('');
}

function escaped(step: string | number): string {
  if (typeof step === 'number') return String(step);
  const shown = step.length > maxShownKey ? `${step.slice(0, maxShownKey)}…` : step;
  return shown.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
}
