import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { inTransaction } from './transaction.ts';

/** A row as SQLite gives it. */
export type Row = Record<string, unknown>;

/** SQL by its text: each is prepared once and kept. */
export interface Statements {
  /** The statement itself, for loops. */
  prepared(sql: string): StatementSync;
  run(sql: string, ...values: SQLInputValue[]): ReturnType<StatementSync['run']>;
  /** The first row; undefined when there is none. */
  one(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  /** All of the work or, when it throws, none of it. */
  transaction(work: () => void): void;
}

/** Statements on a database that stays the caller's. */
export function statementsOf(database: DatabaseSync): Statements {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    let known = statements.get(sql);
    if (known === undefined) {
      known = database.prepare(sql);
      statements.set(sql, known);
    }
    return known;
  };
  return {
    prepared,
    run: (sql, ...values) => prepared(sql).run(...values),
    one: (sql, ...values) => prepared(sql).get(...values),
    all: (sql, ...values) => prepared(sql).all(...values),
    transaction: (work) => inTransaction(database, work),
  };
}
