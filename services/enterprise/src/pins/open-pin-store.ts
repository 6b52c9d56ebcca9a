import { DatabaseSync } from 'node:sqlite';
import { type Row, type Statements, statementsOf } from '@waymark/service-kit';
import type {
  AnchoredBatch,
  AnchoredBlock,
  KeptUnit,
  LedgerCursor,
  PinCursor,
  PinStore,
  Place,
  ReplicaFacts,
  WaitingUnit,
} from './pin-store.ts';
import { preparePinStore } from './schema.ts';

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
    preparePinStore(this.#db);
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

  anchor(batches: readonly AnchoredBatch[]): void {
    const last = batches.at(-1);
    if (last === undefined) return;
    this.#sql.transaction(() => {
      for (const { position, evidenceId, msp, cid, own, pinned } of batches) {
        // A channel that was read anew has the same order; another one under the same name would have another.
        this.#sql.run("DELETE FROM unit WHERE kind = 'batch' AND position = ? AND place <> ?", position, evidenceId);
        this.#enter({ kind: 'batch', msp, place: evidenceId, position, cid, header: null, own, pinned });
      }
      this.#sql.run('INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)', last.position, last.evidenceId);
    });
  }

  ledgerCursor(msp: string): LedgerCursor {
    const row = this.#sql.one('SELECT height, hash FROM ledger_cursor WHERE msp = ?', msp);
    return row === undefined ? { height: 0, hash: '' } : { height: Number(row['height']), hash: String(row['hash']) };
  }

  rewindLedger(msp: string): void {
    this.#sql.run('DELETE FROM ledger_cursor WHERE msp = ?', msp);
  }

  anchorBlocks(msp: string, own: boolean, blocks: readonly AnchoredBlock[]): void {
    const last = blocks.at(-1);
    if (last === undefined) return;
    this.#sql.transaction(() => {
      for (const { height, hash, header, cid, pinned } of blocks) {
        this.#sql.run(
          "DELETE FROM unit WHERE kind = 'block' AND msp = ? AND position = ? AND place <> ?",
          msp,
          height,
          hash,
        );
        this.#enter({ kind: 'block', msp, place: hash, position: height, cid, header, own, pinned });
      }
      this.#sql.run('INSERT OR REPLACE INTO ledger_cursor VALUES (?, ?, ?)', msp, last.height, last.hash);
    });
  }

  ledgers(): string[] {
    return this.#sql.all('SELECT msp FROM ledger_cursor ORDER BY msp').map((row) => String(row['msp']));
  }

  header(id: number): Uint8Array | undefined {
    const header = this.#sql.one('SELECT header FROM unit WHERE id = ?', id)?.['header'];
    return header instanceof Uint8Array ? header : undefined;
  }

  anchored(cid: string): KeptUnit | undefined {
    const row = this.#sql.one('SELECT * FROM unit WHERE cid = ? ORDER BY own DESC, id LIMIT 1', cid);
    return row === undefined ? undefined : toUnit(row);
  }

  ownAfter(id: number, limit: number): KeptUnit[] {
    return this.#sql.all('SELECT * FROM unit WHERE own = 1 AND id > ? ORDER BY id LIMIT ?', id, limit).map(toUnit);
  }

  othersPinnedAfter(id: number, limit: number): KeptUnit[] {
    return this.#sql
      .all("SELECT * FROM unit WHERE own = 0 AND state = 'pinned' AND id > ? ORDER BY id LIMIT ?", id, limit)
      .map(toUnit);
  }

  missingAfter(id: number, limit: number): KeptUnit[] {
    return this.#sql
      .all(
        `SELECT * FROM unit WHERE own = 1 AND id > ? AND cid IN (SELECT cid FROM replica WHERE state <> 'held')
         ORDER BY id LIMIT ?`,
        id,
        limit,
      )
      .map(toUnit);
  }

  waitingOrganisations(nowMs: number): string[] {
    return this.#sql
      .all("SELECT DISTINCT msp FROM unit WHERE state = 'waiting' AND due_at <= ?", nowMs)
      .map((row) => String(row['msp']));
  }

  waiting(msp: string, nowMs: number, limit: number): WaitingUnit[] {
    return this.#sql
      .all(
        "SELECT * FROM unit WHERE state = 'waiting' AND msp = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?",
        msp,
        nowMs,
        limit,
      )
      .map((row) => ({ ...toUnit(row), attempts: Number(row['attempts']) }));
  }

  nextWaitingAtMs(nowMs: number): number | undefined {
    const row = this.#sql.one("SELECT min(due_at) AS due FROM unit WHERE state = 'waiting' AND due_at > ?", nowMs);
    return typeof row?.['due'] === 'number' ? row['due'] : undefined;
  }

  markPinned(id: number): void {
    this.#sql.run("UPDATE unit SET state = 'pinned', attempts = 0 WHERE id = ?", id);
  }

  postpone(id: number, dueAtMs: number): void {
    this.#sql.run('UPDATE unit SET attempts = attempts + 1, due_at = ? WHERE id = ?', dueAtMs, id);
  }

  markWaiting(ids: readonly number[]): void {
    this.#sql.transaction(() => {
      for (const id of ids)
        this.#sql.run("UPDATE unit SET state = 'waiting', attempts = 0, due_at = 0 WHERE id = ?", id);
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
          `INSERT OR IGNORE INTO wanted (msp, cid) SELECT ?, a.cid FROM unit a
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
      `SELECT (SELECT count(*) FROM unit WHERE own = 1) AS anchored,
        (SELECT count(*) FROM unit WHERE own = 1 AND replicas >= ?) AS replicated,
        (SELECT count(*) FROM unit WHERE state = 'waiting') AS waiting`,
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

  /** What is there already stays as it is. */
  #enter(unit: {
    readonly kind: Place['kind'];
    readonly msp: string;
    readonly place: string;
    readonly position: number;
    readonly cid: string;
    readonly header: Uint8Array | null;
    readonly own: boolean;
    readonly pinned: boolean;
  }): void {
    const { kind, msp, place, position, cid, header, own, pinned } = unit;
    this.#sql.run(
      'INSERT OR IGNORE INTO unit (kind, msp, place, position, cid, header, own, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      kind,
      msp,
      place,
      position,
      cid,
      header,
      own ? 1 : 0,
      pinned ? 'pinned' : 'waiting',
    );
    this.#sql.run('DELETE FROM offer WHERE cid = ? AND msp = ?', cid, msp);
    if (own) this.#count(cid);
  }

  /** Notes anew how many organisations hold it. */
  #count(cid: string): void {
    this.#sql.run(
      `UPDATE unit SET replicas = (SELECT count(*) FROM replica WHERE cid = ? AND state = 'held') WHERE cid = ? AND own = 1`,
      cid,
      cid,
    );
  }
}

function toUnit(row: Row): KeptUnit {
  const place: Place =
    row['kind'] === 'block'
      ? { kind: 'block', height: Number(row['position']), hash: String(row['place']) }
      : { kind: 'batch', evidenceId: String(row['place']) };
  return {
    id: Number(row['id']),
    msp: String(row['msp']),
    cid: String(row['cid']),
    own: row['own'] === 1,
    place,
  };
}
