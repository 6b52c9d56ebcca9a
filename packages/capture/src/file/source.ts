/** A file as a stream of bytes that can be read more than once, and that must not change in between. */
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { refusedFile } from './refusal.ts';
import type { FileLimits } from './limits.ts';

export interface FileSource {
  readonly path: string;
  /** The first bytes, at most 64 KiB, without a byte order mark. */
  readonly head: Buffer;
  /**
   * The whole file from its start, without a byte order mark.
   * @throws WaymarkError input-invalid when it is not the file that was opened first
   */
  chunks(): AsyncGenerator<Buffer>;
}

const chunkBytes = 256 * 1024;
const headBytes = 64 * 1024;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes;
}

const openFaults: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'the file may not be read',
  EPERM: 'the file may not be read',
  EISDIR: 'is a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'is no file name',
};

function unreadable(file: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return refusedFile(
    { file, place: '', reason: openFaults[code] ?? `cannot be read (${code})` },
    'input-invalid',
    error,
  );
}

function sameState(left: Stats, right: Stats): boolean {
  return left.ino === right.ino && left.dev === right.dev && left.size === right.size && left.mtimeMs === right.mtimeMs;
}

/**
 * Looks at a file and keeps its first bytes.
 * @throws WaymarkError input-invalid when it is absent, empty, no regular file or not readable; limit-exceeded when too large
 */
export async function openSource(path: string, limits: FileLimits): Promise<FileSource> {
  const state = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (state.isDirectory()) throw refusedFile({ file: path, place: '', reason: 'is a directory' });
  if (!state.isFile()) throw refusedFile({ file: path, place: '', reason: 'is no regular file' });
  if (state.size === 0) throw refusedFile({ file: path, place: '', reason: 'is empty' });
  if (state.size > limits.fileBytes)
    throw refusedFile(
      { file: path, place: '', reason: `has ${state.size} bytes; at most ${limits.fileBytes} are read` },
      'limit-exceeded',
    );
  const handle = await openFor(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return { path, head: withoutMark(buffer.subarray(0, bytesRead)), chunks: () => chunksOf(path, state) };
  } finally {
    await handle.close();
  }
}

async function openFor(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY);
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function* chunksOf(path: string, expected: Stats): AsyncGenerator<Buffer> {
  const changed = (): Error =>
    refusedFile({ file: path, place: '', reason: 'the file was changed while it was being read' });
  const handle = await openFor(path);
  try {
    if (!sameState(await handle.stat(), expected)) throw changed();
    for (let position = 0; position < expected.size;) {
      const length = Math.min(chunkBytes, expected.size - position);
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
      if (bytesRead === 0) throw changed();
      const bytes = buffer.subarray(0, bytesRead);
      yield position === 0 ? withoutMark(bytes) : bytes;
      position += bytesRead;
    }
    if (!sameState(await handle.stat(), expected)) throw changed();
  } finally {
    await handle.close();
  }
}
