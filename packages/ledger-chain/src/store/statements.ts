import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { WaymarkError } from '@waymark/protocol';
import { schema, schemaVersion } from './schema.ts';

/** A row as SQLite gives it. */
export type Row = Record<string, unknown>;

/** The index's database: SQL by its text, each prepared once. */
export interface Database {
  readonly prepared: (sql: string) => StatementSync;
  readonly run: (sql: string, ...values: SQLInputValue[]) => void;
  readonly one: (sql: string, ...values: SQLInputValue[]) => Row | undefined;
  readonly all: (sql: string, ...values: SQLInputValue[]) => Row[];
  /** All of the work in one commit or, when it throws, none of it. */
  readonly transaction: (work: () => void) => void;
  /** What SQLite finds wrong with the file. */
  readonly problems: () => readonly string[];
  /** Makes all commits durable. */
  readonly sync: () => void;
  readonly close: () => void;
}

const sqliteFull = 13;
const sqliteReadOnly = 8;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/**
 * Opens the index. Commits are whole and in order, and are synced by `sync`: until then the member's log holds what they were made from, and after a power cut
 * it is applied again.
 * @throws WaymarkError unavailable, data-abnormal (`index`: the file is damaged), unsupported (a later version's)
 */
export function openDatabase(path: string): Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path);
    try {
      // Nobody else has the folder, so locks and shared memory, which cost more than a look-up itself, are not needed.
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      // Oids are random: without room for the trees' pages every insert would read and every checkpoint rewrite them.
      database.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = MEMORY;');
      const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
      if (typeof version !== 'number' || version > schemaVersion)
        throw new WaymarkError('unsupported', 'The chain was written by a later version.');
      if (version < schemaVersion) database.exec(`${schema} PRAGMA user_version = ${String(schemaVersion)};`);
    } catch (error) {
      database.close();
      throw error;
    }
    return databaseOf(database);
  } catch (error) {
    throw fromSqlite(error);
  }
}

function databaseOf(database: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let known = statements.get(sql);
    if (known === undefined) {
      known = database.prepare(sql);
      statements.set(sql, known);
    }
    return known;
  };
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw fromSqlite(error);
    }
  };
  return {
    prepared,
    run: (sql, ...values) => guarded(() => void prepared(sql).run(...values)),
    one: (sql, ...values) => guarded(() => prepared(sql).get(...values)),
    all: (sql, ...values) => guarded(() => prepared(sql).all(...values)),
    transaction: (work) =>
      guarded(() => {
        database.exec('BEGIN IMMEDIATE');
        try {
          work();
          database.exec('COMMIT');
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK');
          throw error;
        }
      }),
    problems: () =>
      guarded(() =>
        database
          .prepare('PRAGMA integrity_check(20)')
          .all()
          .map((row) => String(row['integrity_check']))
          .filter((line) => line !== 'ok'),
      ),
    sync: () => guarded(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)')),
    close: () => database.close(),
  };
}

/** SQLite's error as callers see it. */
function fromSqlite(error: unknown): unknown {
  if (error instanceof WaymarkError) return error;
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (code === 0) return error;
  if (code === sqliteCorrupt || code === sqliteNotADatabase)
    return new WaymarkError('data-abnormal', 'The index of the chain is damaged.', {
      details: { reason: 'index' },
      cause: error,
    });
  const reason = code === sqliteFull ? 'disk-full' : code === sqliteReadOnly ? 'read-only' : 'io-fault';
  return new WaymarkError('unavailable', 'The disk did not take the chain.', { details: { reason }, cause: error });
}
