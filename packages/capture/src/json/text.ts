/** One JSON text of a file: its value, and where in the file its parts stand. */
import { isUtf8 } from 'node:buffer';
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

/** Where `JSON.parse` stopped, without the words around it, which quote the text. */
function syntaxFaultOffset(text: string): number | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return position === undefined ? text.length : Number(position);
  }
}

/**
 * Parses one JSON text of a file, strictly.
 * @param place where the text stands in the file's own text
 * @throws WaymarkError input-invalid or limit-exceeded, with file, place, line and reason
 */
export function parseItem(file: string, bytes: Buffer, place: string, maxBytes: number, fileLine: FileLine): JsonItem {
  const text = bytes.toString('utf8');
  const lineOf = (pointer: string): number => {
    const offset = offsetOf(text, pointer);
    return fileLine(lineAt(text, offset), offset);
  };
  try {
    return { value: parseJsonStrict(bytes, { maxBytes }), place, lineOf };
  } catch (error) {
    if (!isWaymarkError(error)) throw error;
    const fault = isUtf8(bytes) ? syntaxFaultOffset(text) : 0;
    const { place: inner = '', reason = 'is too large' } = error.details;
    throw refusedFile(
      {
        file,
        place: place + String(inner),
        line: fault === undefined ? lineOf(String(inner)) : fileLine(lineAt(text, fault), fault),
        reason: isUtf8(bytes) ? String(reason) : 'is not UTF-8',
      },
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
