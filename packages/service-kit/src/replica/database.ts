import { inTransaction } from '../storage/transaction.ts';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { WaymarkError, isWaymarkError } from '@waymark/protocol';
import { projectedTables, schema, schemaVersion } from './schema.ts';

const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/**
 * Opens the replica's file; every commit is synced before it returns. An older version's is migrated. A file that is no database, or of a
 * later version, is set aside and begun anew: what is of the channel can be read again.
 */
export function openReplicaDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return open(path);
  } catch (error) {
    if (!isUnusable(error)) throw fromSqlite(error);
    setAside(path);
    return open(path);
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    // Ids are random: without room for the trees' pages every insert would read and every checkpoint rewrite them.
    database.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;');
    const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (typeof version !== 'number' || version > schemaVersion) throw new OtherVersion();
    if (version < schemaVersion) migrate(database);
    else database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** What is read from the channel is read again; tokens, which come from this node alone, have had one form in all versions. */
function migrate(database: DatabaseSync): void {
  inTransaction(database, () => {
    for (const table of projectedTables) database.exec(`DROP TABLE IF EXISTS ${table}`);
    database.exec(schema);
    database.exec(`PRAGMA user_version = ${schemaVersion}`);
  });
}

/** The file cannot be used as it is. */
class OtherVersion extends Error {}

function isUnusable(error: unknown): boolean {
  return error instanceof OtherVersion || isDamage(error);
}

/** Moves an unusable file out of the way, for whoever wants to look at it; only the newest is kept. */
export function setAside(path: string): void {
  const aside = `${path}.unusable`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(aside + suffix, { force: true });
  renameSync(path, aside);
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
}

/** Drops and makes anew what is read from the channel. */
export function emptyProjection(database: DatabaseSync): void {
  inTransaction(database, () => {
    for (const table of projectedTables) database.exec(`DROP TABLE IF EXISTS ${table}`);
    database.exec(schema);
  });
}

/** Whether SQLite found the file itself to be wrong. */
export function isDamage(error: unknown): boolean {
  return [sqliteCorrupt, sqliteNotADatabase].includes(resultCode(error));
}

/** The code for a fault of the database: altered by somebody, or not to be had right now. */
export function fromSqlite(error: unknown): WaymarkError {
  if (isWaymarkError(error)) return error;
  return isDamage(error)
    ? new WaymarkError('data-abnormal', 'the replica file is damaged', { cause: error })
    : new WaymarkError('unavailable', 'the replica cannot be read or written', { cause: error });
}

function resultCode(error: unknown): number {
  const code = (error as { readonly errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : -1;
}
