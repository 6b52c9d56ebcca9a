import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';

/** For what everybody may read, and for private keys and secrets. */
export const modes = { public: 0o644, secret: 0o600 } as const;

/** Replaces a file as a whole: after a crash either the old or the new contents are there. Returns when it is on disk. */
export async function replaceFile(file: string, content: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeSynced(temporary, content, mode);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/**
 * Makes a folder with everything in it, or nothing. Files in it have mode 0600 when they hold a private key.
 * @throws WaymarkError conflict when there is something under that name: nothing is overwritten
 */
export async function createFolder(folder: string, fill: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${folder}.${randomBytes(6).toString('hex')}.new`;
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(partial, { mode: 0o700 });
  try {
    await fill(partial);
    await syncFolder(partial);
    // Renaming replaces an empty folder, and nothing else.
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (isCode(error, ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'])) {
      throw new WaymarkError('conflict', 'There is something under this name already; nothing is overwritten.', {
        details: { file: folder },
      });
    }
    throw error;
  }
  await syncFolder(dirname(folder));
}

/** Writes a new file and syncs it. */
export async function writeSynced(file: string, content: string, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // The process's mask may have taken rights away that others need for reading a certificate.
  if (mode === modes.public) await chmod(file, mode);
}

/** Writes several files of a folder that is being made. */
export async function writeAll(folder: string, files: Readonly<Record<string, string | undefined>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    const mode = content.includes('PRIVATE KEY') ? modes.secret : modes.public;
    await writeSynced(join(folder, name), content, mode);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
}
