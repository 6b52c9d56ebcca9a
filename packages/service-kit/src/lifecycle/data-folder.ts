import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WaymarkError } from '@waymark/protocol';

const sqliteBusy = 5;

/** The right to be the only process that works on a folder. */
export interface DataFolderLock {
  release(): void;
}

/**
 * Makes the folder when needed and takes it for this process. The lock is the operating system's (through SQLite), so
 * that it ends with the process, however that ends.
 *
 * @throws WaymarkError `configuration-invalid` when another process has it or it cannot be written
 */
export function lockDataFolder(folder: string): DataFolderLock {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(join(folder, 'lock'));
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database?.close();
    const taken = (cause as { readonly errcode?: unknown }).errcode === sqliteBusy;
    const message = taken ? `${folder} is in use by another process` : `${folder} cannot be used as a data folder`;
    throw new WaymarkError('configuration-invalid', message, { details: { dataFolder: folder }, cause });
  }
  const held = database;
  return { release: () => held.close() };
}
