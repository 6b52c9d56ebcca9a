/** Bounds on what one file may ask of a reader. */
export interface FileLimits {
  /** Whole file. */
  readonly fileBytes: number;
  /** One event or record inside it, and everything around the list of events. */
  readonly itemBytes: number;
}

const mebibyte = 1024 * 1024;

export const defaultFileLimits: FileLimits = { fileBytes: 512 * mebibyte, itemBytes: 8 * mebibyte };
