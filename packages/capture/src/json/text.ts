/** One JSON text of a file: its value, and where in the file its parts stand. */
import { isWaymarkError, parseJsonStrict, type JsonValue } from '@waymark/protocol';
import { refusedFile, type Refusal } from '../file/refusal.ts';
import { lineAt, offsetOf } from './locate.ts';

/** A value of a file that can say on which line each of its parts stands. */
export interface JsonItem {
  readonly value: JsonValue;
  /** RFC 6901 pointer of the item in the text of the whole file; '' for a text of its own. */
  readonly place: string;
  /** Line in the file of the part at `pointer`, which starts at the item. */
  lineOf(pointer: string): number;
}

/** Line in the file of a line of the item's text; `offset` is the place in that text. */
export type FileLine = (textLine: number, offset: number) => number;

/**
 * Parses one JSON text of a file, strictly.
 * @param place where the text stands in the file's own text
 * @throws WaymarkError input-invalid or limit-exceeded, with file, place, line and reason
 */
export function parseItem(file: string, bytes: Buffer, place: string, maxBytes: number, fileLine: FileLine): JsonItem {
  const text = bytes.toString('utf8');
  const lineOf = (offset: number): number => fileLine(lineAt(text, offset), offset);
  try {
    const value = parseJsonStrict(bytes, { maxBytes });
    return { value, place, lineOf: (pointer) => lineOf(offsetOf(text, pointer)) };
  } catch (error) {
    if (!isWaymarkError(error)) throw error;
    const { place: inner = '', offset = 0, reason = 'is too large' } = error.details;
    throw refusedFile(
      { file, place: place + String(inner), line: lineOf(Number(offset)), reason: String(reason) },
      error.code,
      error,
    );
  }
}

/** The refusal of a file for problems found in one of its items. */
export function refuseItem(
  file: string,
  item: JsonItem,
  problems: readonly { readonly place: string; readonly reason: string }[],
): Error {
  const [first = { place: '', reason: 'is not valid' }] = problems;
  const refusal: Refusal = {
    file,
    place: item.place + first.place,
    line: item.lineOf(first.place),
    reason: first.reason,
    furtherProblems: problems.length - 1,
  };
  return refusedFile(refusal);
}
