import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WaymarkError } from '@waymark/protocol';

const maxFileBytes = 16 * 1024 * 1024;

/**
 * Refuses a file that anybody but its owner may touch. Windows has no such bits; there the folder's rights decide.
 * @throws WaymarkError configuration-invalid
 */
export function checkPrivateMode(stats: Pick<Stats, 'mode'>, file: string): void {
  if (process.platform === 'win32' || (stats.mode & 0o077) === 0) return;
  throw new WaymarkError(
    'configuration-invalid',
    'A file with secrets can be touched by others; its mode must be 0600.',
    {
      details: { file, mode: (stats.mode & 0o777).toString(8) },
    },
  );
}

/**
 * Reads a file with secrets after checking its mode; null when there is none.
 * @throws WaymarkError configuration-invalid, limit-exceeded
 */
export async function readPrivateFile(file: string): Promise<Buffer | null> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw new WaymarkError('configuration-invalid', 'A file with secrets cannot be read.', {
      details: { file },
      cause: error,
    });
  }
  try {
    const stats = await handle.stat();
    checkPrivateMode(stats, file);
    if (stats.size > maxFileBytes) {
      throw new WaymarkError('limit-exceeded', 'A file with secrets is too long.', { details: { file, maxFileBytes } });
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file with secrets as a whole, mode 0600: after a crash at any moment either the old or the new content is there.
 * Returns when file and folder are on disk.
 */
export async function writePrivateFile(file: string, content: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
