import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { formatEvidenceId, type BatchLeaf, type Evidence } from '@waymark/protocol';
import { inTransaction } from '../storage/transaction.ts';
import { emptyProjection, fromSqlite, isDamage, openReplicaDatabase, setAside } from './database.ts';
import { createLedgerStore, type LedgerStore } from './ledger-store.ts';
import type { Change, NodeFacts, OrganisationFacts } from './projection.ts';
import { bytesOf, evidenceIn, hitOf, integerOf, jsonOf, type IndexHit, type Row } from './rows.ts';

/** How far the replica has read. */
export interface Checkpoint {
  readonly blockNumber: bigint;
  /** Header hash of that block. */
  readonly blockHash: Uint8Array;
}

/** Evidence whose batch has not been read yet. */
export interface PendingLeaves {
  readonly num: number;
  readonly evidence: Evidence;
  readonly attempts: number;
}

/** Evidence with its place in the order of the channel. */
export interface PlacedEvidence {
  /** 1 for the channel's first evidence; the same again after the replica was read anew. */
  readonly position: number;
  readonly evidence: Evidence;
}

/** A block's worth of changes and the checkpoint they lead to. */
export interface BlockChanges {
  readonly blockNumber: bigint;
  readonly blockHash: Uint8Array;
  readonly changes: readonly Change[];
}

/**
 * All SQL of the replica. What it reads may have been altered by another process: it is checked for form, and nothing here
 * claims more.
 */
export class ReplicaStore {
  readonly #path: string;
  readonly #onDamage: () => void;
  readonly #indexes: (evidence: Evidence) => boolean;
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync;
  readonly #ledgers = createLedgerStore({
    run: (sql, ...values) => this.#run(sql, ...values),
    one: (sql, ...values) => this.#one(sql, ...values),
    all: (sql, ...values) => this.#all(sql, ...values),
  });

  /**
   * @param onDamage called when the file itself is found to be wrong: time for `replace`
   * @param indexes whether the records of a batch belong into this node's index
   */
  constructor(path: string, onDamage: () => void, indexes: (evidence: Evidence) => boolean = () => true) {
    this.#path = path;
    this.#onDamage = onDamage;
    this.#indexes = indexes;
    this.#database = openReplicaDatabase(path);
  }

  /** Sets the file aside and begins a new, empty one. */
  replace(): void {
    this.#statements.clear();
    this.close();
    setAside(this.#path);
    this.#database = openReplicaDatabase(this.#path);
  }

  /** Drops what is read from the channel, so that it is read again from block 0. */
  empty(): void {
    this.#guarded(() => {
      this.#statements.clear();
      emptyProjection(this.#database);
    });
  }

  /** Whether there is as much evidence as the checkpoint says there must be, and there are records when there must be some. */
  isComplete(): boolean {
    return this.#guarded(() => {
      const evidence = integerOf(this.#one('SELECT count(*) AS n FROM evidence'), 'n');
      const row = this.#one('SELECT evidence_count FROM checkpoint WHERE id = 1');
      return evidence === (row === undefined ? 0n : integerOf(row, 'evidence_count')) && !this.isEmptied();
    });
  }

  checkpoint(): Checkpoint | undefined {
    return this.#guarded(() => {
      const row = this.#one('SELECT block_number, block_hash FROM checkpoint WHERE id = 1');
      if (row === undefined) return undefined;
      return { blockNumber: integerOf(row, 'block_number'), blockHash: bytesOf(row, 'block_hash') };
    });
  }

  /** Number of the newest applied block; undefined before the first, and when the file cannot be read. */
  checkpointOrUndefined(): bigint | undefined {
    try {
      return this.checkpoint()?.blockNumber;
    } catch {
      return undefined;
    }
  }

  /** Writes a block's changes and the new checkpoint, all or nothing. */
  apply({ blockNumber, blockHash, changes }: BlockChanges): void {
    this.#guarded(() =>
      inTransaction(this.#database, () => {
        let added = 0;
        for (const change of changes) added += this.#applyChange(change, blockNumber);
        this.#run(
          `INSERT INTO checkpoint (id, block_number, block_hash, evidence_count, leaf_count) VALUES (1, ?, ?, ?, 0)
           ON CONFLICT (id) DO UPDATE SET block_number = excluded.block_number, block_hash = excluded.block_hash,
             evidence_count = evidence_count + excluded.evidence_count`,
          blockNumber,
          blockHash,
          added,
        );
      }),
    );
  }

  #applyChange(change: Change, blockNumber: bigint): number {
    switch (change.kind) {
      case 'organisation': {
        const { organisation } = change;
        this.#run(
          'INSERT OR REPLACE INTO organisation VALUES (?, ?)',
          organisation.mspId,
          JSON.stringify(organisation),
        );
        return 0;
      }
      case 'node': {
        const { node } = change;
        this.#run('INSERT OR REPLACE INTO node VALUES (?, ?, ?)', node.mspId, node.enrolmentId, JSON.stringify(node));
        return 0;
      }
      case 'evidence': {
        const { evidence, txId } = change;
        // Evidence is written once on the channel; the first one stays, whatever comes later.
        const { changes: added, lastInsertRowid } = this.#run(
          'INSERT INTO evidence (id, value, tx_id, block_number) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
          formatEvidenceId(evidence),
          JSON.stringify(evidence),
          txId,
          blockNumber,
        );
        if (Number(added) === 0) return 0;
        if (this.#indexes(evidence)) {
          this.#run('INSERT OR REPLACE INTO pending_leaves VALUES (?, 0, 0)', lastInsertRowid);
        }
        return 1;
      }
      default:
        this.#ledgers.apply(change, blockNumber);
        return 0;
    }
  }

  /** Reads what the channel says of private ledgers. */
  ledgers<T>(read: (ledgers: Omit<LedgerStore, 'apply'>) => T): T {
    return this.#guarded(() => read(this.#ledgers));
  }

  /** Evidence whose leaves are to be read by now, those that failed least first. */
  pendingLeaves(nowMs: number, limit: number): PendingLeaves[] {
    return this.#guarded(() =>
      this.#all(
        `SELECT p.evidence AS num, p.attempts AS attempts, e.value AS value FROM pending_leaves p
         JOIN evidence e ON e.num = p.evidence WHERE p.due_at_ms <= ? ORDER BY p.due_at_ms, p.evidence LIMIT ?`,
        nowMs,
        limit,
      ).map((row) => ({
        num: Number(integerOf(row, 'num')),
        attempts: Number(integerOf(row, 'attempts')),
        evidence: evidenceIn(row),
      })),
    );
  }

  /** How many batches have not been read, and when the next is due. */
  pendingState(): { readonly count: number; readonly nextDueAtMs: number | undefined } {
    return this.#guarded(() => {
      const row = this.#one('SELECT count(*) AS n, min(due_at_ms) AS due FROM pending_leaves');
      const due = row?.['due'];
      return {
        count: Number(integerOf(row, 'n')),
        nextDueAtMs: typeof due === 'bigint' || typeof due === 'number' ? Number(due) : undefined,
      };
    });
  }

  /** Puts reading a batch off. */
  postponeLeaves(num: number, dueAtMs: number): void {
    this.#guarded(() =>
      this.#run('UPDATE pending_leaves SET attempts = attempts + 1, due_at_ms = ? WHERE evidence = ?', dueAtMs, num),
    );
  }

  /** Enters the records of batches. */
  addLeaves(batches: readonly { readonly num: number; readonly leaves: readonly BatchLeaf[] }[]): void {
    this.#guarded(() =>
      inTransaction(this.#database, () => {
        let added = 0;
        for (const { num, leaves } of batches) {
          // A replica that was emptied meanwhile has given the number to other evidence, or to none.
          const { changes: waiting } = this.#run('DELETE FROM pending_leaves WHERE evidence = ?', num);
          if (Number(waiting) === 0) continue;
          for (const [index, { recordOid, cid }] of leaves.entries()) {
            const { changes: isNew } = this.#run(
              'INSERT OR IGNORE INTO leaf VALUES (?, ?, ?, ?)',
              recordOid,
              num,
              index,
              cid.bytes,
            );
            added += Number(isNew);
          }
        }
        this.#run('UPDATE checkpoint SET leaf_count = leaf_count + ? WHERE id = 1', added);
      }),
    );
  }

  addTokens(entries: readonly { readonly recordOid: Uint8Array; readonly tokens: readonly Uint8Array[] }[]): void {
    this.#guarded(() =>
      inTransaction(this.#database, () => {
        for (const { recordOid, tokens } of entries) {
          for (const token of tokens) this.#run('INSERT OR IGNORE INTO token VALUES (?, ?)', token, recordOid);
        }
      }),
    );
  }

  findByOid(recordOid: Uint8Array): IndexHit | undefined {
    return this.#guarded(() => {
      const row = this.#one(`${hitColumns} WHERE l.record_oid = ? ORDER BY l.evidence LIMIT 1`, recordOid);
      return row === undefined ? undefined : hitOf(row);
    });
  }

  findByToken(token: Uint8Array, limit: number): IndexHit[] {
    return this.#guarded(() =>
      this.#all(
        `${hitColumns} JOIN token t ON t.record_oid = l.record_oid WHERE t.token = ? ORDER BY l.evidence, l.leaf_index LIMIT ?`,
        token,
        limit,
      ).map(hitOf),
    );
  }

  /** Whether records are missing although the checkpoint says there were some. */
  isEmptied(): boolean {
    return this.#guarded(() => {
      const row = this.#one(
        `SELECT (evidence_count > 0 AND NOT EXISTS (SELECT 1 FROM evidence)) OR
                (leaf_count > 0 AND NOT EXISTS (SELECT 1 FROM leaf)) AS emptied FROM checkpoint WHERE id = 1`,
      );
      return row === undefined
        ? this.#one('SELECT 1 AS n FROM evidence LIMIT 1') !== undefined
        : integerOf(row, 'emptied') === 1n;
    });
  }

  evidence(
    id: string,
  ): { readonly evidence: Evidence; readonly txId: string; readonly blockNumber: bigint } | undefined {
    return this.#guarded(() => {
      const row = this.#one('SELECT value, tx_id, block_number FROM evidence WHERE id = ?', id);
      if (row === undefined) return undefined;
      return {
        evidence: evidenceIn(row),
        txId: String(row['tx_id']),
        blockNumber: integerOf(row, 'block_number'),
      };
    });
  }

  evidenceAfter(position: number, limit: number): PlacedEvidence[] {
    return this.#guarded(() =>
      this.#all('SELECT num, value FROM evidence WHERE num > ? ORDER BY num LIMIT ?', position, limit).map((row) => ({
        position: Number(integerOf(row, 'num')),
        evidence: evidenceIn(row),
      })),
    );
  }

  node(mspId: string, enrolmentId: string): NodeFacts | undefined {
    return this.#guarded(() => {
      const row = this.#one('SELECT value FROM node WHERE msp = ? AND enrolment_id = ?', mspId, enrolmentId);
      return row === undefined ? undefined : (jsonOf(row, 'value') as NodeFacts);
    });
  }

  organisation(mspId: string): OrganisationFacts | undefined {
    return this.#guarded(() => {
      const row = this.#one('SELECT value FROM organisation WHERE msp = ?', mspId);
      return row === undefined ? undefined : (jsonOf(row, 'value') as OrganisationFacts);
    });
  }

  counts(): { readonly evidence: number; readonly leaves: number } {
    return this.#guarded(() => {
      const row = this.#one('SELECT evidence_count, leaf_count FROM checkpoint WHERE id = 1');
      if (row === undefined) return { evidence: 0, leaves: 0 };
      return { evidence: Number(integerOf(row, 'evidence_count')), leaves: Number(integerOf(row, 'leaf_count')) };
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isDamage(error)) this.#onDamage();
      throw fromSqlite(error);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...values: SQLInputValue[]): ReturnType<StatementSync['run']> {
    return this.#statement(sql).run(...values);
  }

  #one(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }
}

const hitColumns = `SELECT l.record_oid AS record_oid, l.leaf_index AS leaf_index, l.cid AS cid, e.id AS evidence_id
  FROM leaf l JOIN evidence e ON e.num = l.evidence`;
