import { DatabaseSync } from 'node:sqlite';
import { type Row, type Statements, statementsOf } from '@waymark/service-kit';
import { pinSchema } from './schema.ts';

/** A batch as the channel has it. */
export interface AnchoredBatch {
  /** Place in the order of the channel, from 1. */
  readonly position: number;
  readonly evidenceId: string;
  readonly msp: string;
  readonly cid: string;
  /** Whether it is a batch of this organisation. */
  readonly own: boolean;
}

/** One of them that is not pinned here. */
export interface WaitingBatch extends AnchoredBatch {
  readonly attempts: number;
}

/** What is known of one organisation's copy. */
export interface ReplicaFacts {
  readonly msp: string;
  /** `held`: by its receipt, or by the last check; `away`: not to be asked then; `lost`: not there, or not intact. */
  readonly state: 'held' | 'away' | 'lost';
  readonly node: string;
  readonly pinnedAtMs: number;
  readonly receipt: Uint8Array;
}

/** Where the store has read the channel to. */
export interface PinCursor {
  readonly position: number;
  readonly evidenceId: string;
}

/** What the center knows of pins: its own, those of the other organisations, and what is still to be done. */
export interface PinStore {
  cursor(): PinCursor;
  /** Begins to read the channel again from its first evidence. */
  rewind(): void;
  /** Takes batches in from the channel and moves the cursor behind them; `pinned` says which are pinned here already. */
  anchor(batches: readonly (AnchoredBatch & { readonly pinned: boolean })[]): void;
  /** The batch with this CID, an own one first: nothing keeps an organisation from naming another's CID in its evidence. */
  anchored(cid: string): AnchoredBatch | undefined;
  /** Own batches behind a position. */
  ownAfter(position: number, limit: number): AnchoredBatch[];
  /** Batches of the others behind a position that were pinned here. */
  othersPinnedAfter(position: number, limit: number): AnchoredBatch[];
  /** Own batches behind a position that fewer than so many organisations hold. */
  lackingAfter(replicas: number, position: number, limit: number): AnchoredBatch[];
  /** Organisations with batches that are to be pinned here by now. */
  waitingOrganisations(nowMs: number): string[];
  waiting(msp: string, nowMs: number, limit: number): WaitingBatch[];
  /** When the next batch is due that is not due yet. */
  nextWaitingAtMs(nowMs: number): number | undefined;
  markPinned(position: number): void;
  postpone(position: number, dueAtMs: number): void;
  /** Says that batches are not here any more, or not whole. */
  markWaiting(positions: readonly number[]): void;

  /** The receipt this center gives for a batch it keeps. */
  kept(cid: string): Uint8Array | undefined;
  /** Enters a batch this center keeps. @param offeredBy the organisation that asked for it, while the channel does not have it */
  keep(cid: string, receipt: Uint8Array, offeredBy: { msp: string; atMs: number } | undefined): void;
  offeredBy(cid: string): string | undefined;
  offers(msp: string): number;
  /** Batches offered before a time and not anchored since. */
  staleOffers(beforeMs: number, limit: number): string[];
  withdraw(cid: string): void;

  /** Organisations whose receipt, or own copy, for a batch is known. */
  replicas(cid: string): ReplicaFacts[];
  receiptCount(cid: string): number;
  addReplica(cid: string, replica: Omit<ReplicaFacts, 'state'>): void;
  setReplicaState(cid: string, msp: string, state: ReplicaFacts['state']): void;
  /** Organisations that are no members any more hold nothing that counts. */
  retainReplicas(cid: string, msps: readonly string[]): void;

  /** Asks these organisations for receipts, unless they have given them. */
  want(cids: readonly string[], msps: readonly string[]): void;
  /** The same for every own batch on the channel, once for each organisation that is new; forgets what those gone were asked for. */
  wantFromMembers(msps: readonly string[]): void;
  wanted(msp: string, nowMs: number, limit: number): { cid: string; attempts: number }[];
  nextWantedAtMs(msp: string, nowMs: number): number | undefined;
  wantedCount(msp: string): number;
  postponeWanted(msp: string, cid: string, dueAtMs: number): void;
  /** Forgets a batch that is never going to be anchored. */
  forget(cid: string): void;

  counts(replicas: number): { anchored: number; replicated: number; waiting: number };
  close(): void;
}

/** Opens (or makes) the file. */
export function openPinStore(path: string): PinStore {
  return new SqlitePinStore(path);
}

class SqlitePinStore implements PinStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    this.#db.exec(pinSchema);
    this.#sql = statementsOf(this.#db);
  }

  cursor(): PinCursor {
    const row = this.#sql.one('SELECT position, evidence_id FROM cursor WHERE id = 1');
    if (row === undefined) return { position: 0, evidenceId: '' };
    return { position: Number(row['position']), evidenceId: String(row['evidence_id']) };
  }

  rewind(): void {
    this.#sql.run('DELETE FROM cursor');
  }

  anchor(batches: readonly (AnchoredBatch & { readonly pinned: boolean })[]): void {
    const last = batches.at(-1);
    if (last === undefined) return;
    this.#sql.transaction(() => {
      for (const { position, evidenceId, msp, cid, own, pinned } of batches) {
        // A channel that was read anew has the same order; another one under the same name would have another.
        this.#sql.run('DELETE FROM anchored WHERE position = ? AND evidence_id <> ?', position, evidenceId);
        this.#sql.run(
          'INSERT OR IGNORE INTO anchored (position, evidence_id, msp, cid, own, state) VALUES (?, ?, ?, ?, ?, ?)',
          position,
          evidenceId,
          msp,
          cid,
          own ? 1 : 0,
          pinned ? 'pinned' : 'waiting',
        );
        this.#sql.run('DELETE FROM offer WHERE cid = ? AND msp = ?', cid, msp);
        if (own) this.#count(cid);
      }
      this.#sql.run('INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)', last.position, last.evidenceId);
    });
  }

  anchored(cid: string): AnchoredBatch | undefined {
    const row = this.#sql.one('SELECT * FROM anchored WHERE cid = ? ORDER BY own DESC, position LIMIT 1', cid);
    return row === undefined ? undefined : toAnchored(row);
  }

  ownAfter(position: number, limit: number): AnchoredBatch[] {
    return this.#sql
      .all('SELECT * FROM anchored WHERE own = 1 AND position > ? ORDER BY position LIMIT ?', position, limit)
      .map(toAnchored);
  }

  othersPinnedAfter(position: number, limit: number): AnchoredBatch[] {
    return this.#sql
      .all(
        "SELECT * FROM anchored WHERE own = 0 AND state = 'pinned' AND position > ? ORDER BY position LIMIT ?",
        position,
        limit,
      )
      .map(toAnchored);
  }

  lackingAfter(replicas: number, position: number, limit: number): AnchoredBatch[] {
    return this.#sql
      .all(
        'SELECT * FROM anchored WHERE own = 1 AND replicas < ? AND position > ? ORDER BY position LIMIT ?',
        replicas,
        position,
        limit,
      )
      .map(toAnchored);
  }

  waitingOrganisations(nowMs: number): string[] {
    return this.#sql
      .all("SELECT DISTINCT msp FROM anchored WHERE state = 'waiting' AND due_at <= ?", nowMs)
      .map((row) => String(row['msp']));
  }

  waiting(msp: string, nowMs: number, limit: number): WaitingBatch[] {
    return this.#sql
      .all(
        "SELECT * FROM anchored WHERE state = 'waiting' AND msp = ? AND due_at <= ? ORDER BY due_at, position LIMIT ?",
        msp,
        nowMs,
        limit,
      )
      .map((row) => ({ ...toAnchored(row), attempts: Number(row['attempts']) }));
  }

  nextWaitingAtMs(nowMs: number): number | undefined {
    const row = this.#sql.one("SELECT min(due_at) AS due FROM anchored WHERE state = 'waiting' AND due_at > ?", nowMs);
    return typeof row?.['due'] === 'number' ? row['due'] : undefined;
  }

  markPinned(position: number): void {
    this.#sql.run("UPDATE anchored SET state = 'pinned', attempts = 0 WHERE position = ?", position);
  }

  postpone(position: number, dueAtMs: number): void {
    this.#sql.run('UPDATE anchored SET attempts = attempts + 1, due_at = ? WHERE position = ?', dueAtMs, position);
  }

  markWaiting(positions: readonly number[]): void {
    this.#sql.transaction(() => {
      for (const position of positions)
        this.#sql.run("UPDATE anchored SET state = 'waiting', attempts = 0, due_at = 0 WHERE position = ?", position);
    });
  }

  kept(cid: string): Uint8Array | undefined {
    return this.#sql.one('SELECT receipt FROM kept WHERE cid = ?', cid)?.['receipt'] as Uint8Array | undefined;
  }

  keep(cid: string, receipt: Uint8Array, offeredBy: { msp: string; atMs: number } | undefined): void {
    this.#sql.transaction(() => {
      this.#sql.run('INSERT OR IGNORE INTO kept VALUES (?, ?)', cid, receipt);
      if (offeredBy === undefined) return;
      this.#sql.run('INSERT OR IGNORE INTO offer VALUES (?, ?, ?)', cid, offeredBy.msp, offeredBy.atMs);
    });
  }

  offeredBy(cid: string): string | undefined {
    const row = this.#sql.one('SELECT msp FROM offer WHERE cid = ?', cid);
    return row === undefined ? undefined : String(row['msp']);
  }

  offers(msp: string): number {
    return Number(this.#sql.one('SELECT count(*) AS n FROM offer WHERE msp = ?', msp)?.['n'] ?? 0);
  }

  staleOffers(beforeMs: number, limit: number): string[] {
    return this.#sql
      .all('SELECT cid FROM offer WHERE offered_at < ? LIMIT ?', beforeMs, limit)
      .map((row) => String(row['cid']));
  }

  withdraw(cid: string): void {
    this.#sql.transaction(() => {
      this.#sql.run('DELETE FROM offer WHERE cid = ?', cid);
      this.#sql.run('DELETE FROM kept WHERE cid = ?', cid);
    });
  }

  replicas(cid: string): ReplicaFacts[] {
    return this.#sql.all('SELECT * FROM replica WHERE cid = ? ORDER BY msp', cid).map((row) => ({
      msp: String(row['msp']),
      state: row['state'] as ReplicaFacts['state'],
      node: String(row['node']),
      pinnedAtMs: Number(row['pinned_at']),
      receipt: row['receipt'] as Uint8Array,
    }));
  }

  receiptCount(cid: string): number {
    return Number(this.#sql.one('SELECT count(*) AS n FROM replica WHERE cid = ?', cid)?.['n'] ?? 0);
  }

  addReplica(cid: string, { msp, node, pinnedAtMs, receipt }: Omit<ReplicaFacts, 'state'>): void {
    this.#sql.transaction(() => {
      this.#sql.run(
        "INSERT OR REPLACE INTO replica VALUES (?, ?, 'held', ?, ?, ?)",
        cid,
        msp,
        node,
        pinnedAtMs,
        receipt,
      );
      this.#sql.run('DELETE FROM wanted WHERE msp = ? AND cid = ?', msp, cid);
      this.#count(cid);
    });
  }

  setReplicaState(cid: string, msp: string, state: ReplicaFacts['state']): void {
    const { changes } = this.#sql.run('UPDATE replica SET state = ? WHERE cid = ? AND msp = ? AND state <> ?', state, cid, msp, state); // prettier-ignore
    if (Number(changes) > 0) this.#count(cid);
  }

  retainReplicas(cid: string, msps: readonly string[]): void {
    for (const { msp, state } of this.replicas(cid)) {
      if (!msps.includes(msp) && state === 'held') this.setReplicaState(cid, msp, 'away');
    }
  }

  want(cids: readonly string[], msps: readonly string[]): void {
    if (cids.length === 0 || msps.length === 0) return;
    this.#sql.transaction(() => {
      for (const cid of cids)
        for (const msp of msps)
          this.#sql.run(
            `INSERT OR IGNORE INTO wanted (msp, cid) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM replica WHERE cid = ? AND msp = ? AND state <> 'lost')`,
            msp,
            cid,
            cid,
            msp,
          );
    });
  }

  wantFromMembers(msps: readonly string[]): void {
    this.#sql.transaction(() => {
      const known = this.#sql.all('SELECT msp FROM asked_member').map((row) => String(row['msp']));
      for (const msp of known.filter((one) => !msps.includes(one))) {
        this.#sql.run('DELETE FROM wanted WHERE msp = ?', msp);
        this.#sql.run('DELETE FROM asked_member WHERE msp = ?', msp);
      }
      for (const msp of msps.filter((one) => !known.includes(one))) {
        this.#sql.run('INSERT INTO asked_member VALUES (?)', msp);
        this.#sql.run(
          `INSERT OR IGNORE INTO wanted (msp, cid) SELECT ?, a.cid FROM anchored a
           WHERE a.own = 1 AND NOT EXISTS (SELECT 1 FROM replica r WHERE r.cid = a.cid AND r.msp = ? AND r.state <> 'lost')`,
          msp,
          msp,
        );
      }
    });
  }

  wanted(msp: string, nowMs: number, limit: number): { cid: string; attempts: number }[] {
    return this.#sql
      .all('SELECT cid, attempts FROM wanted WHERE msp = ? AND due_at <= ? ORDER BY due_at LIMIT ?', msp, nowMs, limit)
      .map((row) => ({ cid: String(row['cid']), attempts: Number(row['attempts']) }));
  }

  nextWantedAtMs(msp: string, nowMs: number): number | undefined {
    const row = this.#sql.one('SELECT min(due_at) AS due FROM wanted WHERE msp = ? AND due_at > ?', msp, nowMs);
    return typeof row?.['due'] === 'number' ? row['due'] : undefined;
  }

  wantedCount(msp: string): number {
    return Number(this.#sql.one('SELECT count(*) AS n FROM wanted WHERE msp = ?', msp)?.['n'] ?? 0);
  }

  postponeWanted(msp: string, cid: string, dueAtMs: number): void {
    this.#sql.run('UPDATE wanted SET attempts = attempts + 1, due_at = ? WHERE msp = ? AND cid = ?', dueAtMs, msp, cid);
  }

  forget(cid: string): void {
    this.#sql.transaction(() => {
      this.#sql.run('DELETE FROM wanted WHERE msp IN (SELECT msp FROM asked_member) AND cid = ?', cid);
      this.#sql.run('DELETE FROM replica WHERE cid = ?', cid);
    });
  }

  counts(replicas: number): { anchored: number; replicated: number; waiting: number } {
    const row = this.#sql.one(
      `SELECT (SELECT count(*) FROM anchored WHERE own = 1) AS anchored,
        (SELECT count(*) FROM anchored WHERE own = 1 AND replicas >= ?) AS replicated,
        (SELECT count(*) FROM anchored WHERE state = 'waiting') AS waiting`,
      replicas,
    );
    return {
      anchored: Number(row?.['anchored'] ?? 0),
      replicated: Number(row?.['replicated'] ?? 0),
      waiting: Number(row?.['waiting'] ?? 0),
    };
  }

  close(): void {
    this.#db.close();
  }

  /** Notes anew how many organisations hold a batch. */
  #count(cid: string): void {
    this.#sql.run(
      `UPDATE anchored SET replicas = (SELECT count(*) FROM replica WHERE cid = ? AND state = 'held') WHERE cid = ? AND own = 1`,
      cid,
      cid,
    );
  }
}

function toAnchored(row: Row): AnchoredBatch {
  return {
    position: Number(row['position']),
    evidenceId: String(row['evidence_id']),
    msp: String(row['msp']),
    cid: String(row['cid']),
    own: row['own'] === 1,
  };
}
