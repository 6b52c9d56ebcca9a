import { type ErrorCode, errorCodes, isWaymarkError } from '@waymark/protocol';

/** Where the command writes, and what it is started with. */
export interface CliIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Left out: nothing can be read from it. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Partial<Record<string, string>>>;
}

/** A failure as it is shown. */
export interface ShownError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly file?: string;
  readonly place?: string;
  /** Why the audit did not let a record through. */
  readonly reason?: string;
}

/** Shown wherever a record is shown. */
export const notice = 'Waymark records claims, and who made them and when; it does not make them true.';

/** Results go to stdout, everything else to stderr. With `--json` the result is one line of JSON, the last of stdout. */
export interface Output {
  readonly json: boolean;
  /** @param text what a person reads; the JSON is for programs */
  result(json: object, text: readonly string[]): void;
  note(text: string): void;
  failure(error: unknown): void;
}

/** Output of one run. */
export function createOutput(io: CliIo, json: boolean): Output {
  return {
    json,
    result(value, text) {
      if (json) io.stdout.write(`${JSON.stringify(value)}\n`);
      else for (const line of text) io.stdout.write(`${line}\n`);
    },
    note: (text) => void io.stderr.write(`${printable(text)}\n`),
    failure(error) {
      const shown = shownError(error);
      if (json) io.stdout.write(`${JSON.stringify(shown)}\n`);
      else io.stderr.write(`waymark: ${printable(shown.message)} (${shown.code})\n`);
    },
  };
}

/** What is shown of a failure: of an unexpected one only that it happened. */
export function shownError(error: unknown): ShownError {
  if (!isWaymarkError(error)) return { code: 'internal', message: errorCodes.internal };
  const { file, place, line, reason } = error.details;
  const where = [typeof line === 'number' ? `line ${line}` : '', typeof place === 'string' ? place : ''];
  const placeText = where.filter((part) => part !== '').join(', ');
  return {
    code: error.code,
    message: error.message,
    ...(typeof file === 'string' ? { file } : {}),
    ...(placeText === '' ? {} : { place: placeText }),
    ...(error.code === 'audit-rejected' && typeof reason === 'string' ? { reason } : {}),
  };
}

/** Text of others, without what a terminal would act on. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '?');
}

/** Rows under a heading, columns aligned. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => printable(cell).padEnd(column === row.length - 1 ? 0 : (widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
