import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Every value of every table of a SQLite file, and its journal's: large values lie on several pages, so that a raw search could miss
 * what crosses from one to the next. The file is copied first; the one that runs is not touched.
 */
export async function sqliteValues(file: string): Promise<Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-sqlite-'));
  try {
    const copy = join(folder, 'copy.db');
    await copyFile(file, copy);
    if (existsSync(`${file}-wal`)) await copyFile(`${file}-wal`, `${copy}-wal`);
    const database = new DatabaseSync(copy);
    try {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      return tables.flatMap(({ name }) => {
        const select = database.prepare(`SELECT * FROM "${String(name).replaceAll('"', '""')}"`);
        select.setReadBigInts(true);
        return select.all().flatMap((row) => Object.values(row).flatMap(asBytes));
      });
    } finally {
      database.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function asBytes(value: unknown): Buffer[] {
  if (value instanceof Uint8Array) return [Buffer.from(value)];
  return typeof value === 'string' ? [Buffer.from(value, 'utf8')] : [];
}
