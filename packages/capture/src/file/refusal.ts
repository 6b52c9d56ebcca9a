import { WaymarkError, type ErrorCode } from '@waymark/protocol';

/** Where in a file something is wrong. */
interface Place {
  /** A pointer into a JSON text, or a column of a table. */
  readonly place: string;
  /** Counted from 1. */
  readonly line?: number;
}

/** Why a file is refused. `reason` never holds a value of the file, only names and positions. */
export interface Refusal extends Place {
  readonly file: string;
  readonly reason: string;
  /** How many more problems of the file are known. */
  readonly furtherProblems?: number;
}

/**
 * The error by which a file is refused as a whole: details name the file, the place, the line and the reason.
 * @param code `input-invalid` unless a limit was hit (`limit-exceeded`) or the form is not read here (`unsupported`)
 */
export function refusedFile(refusal: Refusal, code: ErrorCode = 'input-invalid', cause?: unknown): WaymarkError {
  const { file, place, line, reason, furtherProblems = 0 } = refusal;
  const where = [line === undefined ? '' : `line ${line}`, place].filter((part) => part !== '').join(', ');
  const more = furtherProblems === 0 ? '' : ` (and ${furtherProblems} more)`;
  return new WaymarkError(code, `${file}: ${where === '' ? '' : `${where}: `}${reason}${more}`, {
    details: { file, place, reason, ...(line === undefined ? {} : { line }) },
    cause,
  });
}
