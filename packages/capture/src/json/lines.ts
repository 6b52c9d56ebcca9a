import { refusedFile } from '../file/refusal.ts';
import type { FileSource } from '../file/source.ts';

const lineFeed = 0x0a;

/** A line that is not blank; `line` counts from 1. */
export interface TextLine {
  readonly line: number;
  readonly bytes: Buffer;
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/**
 * The lines of a file that are not blank.
 * @throws WaymarkError limit-exceeded when a line is longer than `limitBytes`
 */
export async function* readLines(source: FileSource, limitBytes: number): AsyncGenerator<TextLine> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  let line = 1;
  const take = (bytes: Buffer): void => {
    sizeBytes += bytes.length;
    if (sizeBytes > limitBytes)
      throw refusedFile(
        { file: source.path, place: '', line, reason: `the line has more than ${limitBytes} bytes` },
        'limit-exceeded',
      );
    parts.push(Buffer.from(bytes));
  };
  for await (const chunk of source.chunks()) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      take(chunk.subarray(start, end));
      const bytes = Buffer.concat(parts);
      if (!isBlank(bytes)) yield { line, bytes };
      parts = [];
      sizeBytes = 0;
      line += 1;
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  const last = Buffer.concat(parts);
  if (!isBlank(last)) yield { line, bytes: last };
}
