import { DatabaseSync } from 'node:sqlite';
import type { Evidence } from '@waymark/protocol';
import { type Row, type Statements, statementsOf } from '@waymark/service-kit';
import { prepareJournal } from './schema.ts';

/** A batch the center has checked and is about to accept. */
export interface AcceptedBatch {
  readonly outlet: string;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly cid: string;
  readonly evidence: Evidence;
  readonly messageId: Uint8Array;
  /** The signed `accepted` receipt: stored before it leaves. */
  readonly receipt: Uint8Array;
  readonly acceptedAtMs: number;
  readonly records: readonly AcceptedRecord[];
  readonly consignmentKeys: readonly WrappedConsignmentKey[];
}

/** One record of it, as the index keeps it. */
export interface AcceptedRecord {
  readonly oid: Uint8Array;
  readonly contentTag: Uint8Array;
  readonly cid: Uint8Array;
  readonly tokens: readonly Uint8Array[];
}

/** A consignment key, sealed under the key store's local key. */
export interface WrappedConsignmentKey {
  readonly consignmentOid: Uint8Array;
  readonly epoch: number;
  readonly wrapped: Uint8Array;
}

/** Where a record lies, as far as the center's index knows. */
export interface IndexHit {
  readonly recordOid: Uint8Array;
  readonly outlet: string;
  readonly seq: number;
  readonly leafIndex: number;
  /** CID bytes of the envelope. */
  readonly cid: Uint8Array;
}

/** A batch as the journal holds it. */
export interface JournalBatch {
  readonly outlet: string;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly cid: string;
  readonly count: number;
  readonly evidence: Evidence;
  readonly messageId: Uint8Array;
  readonly acceptedAtMs: number;
  /** None yet for a batch that came by the private ledger and that nobody asked about. */
  readonly receipt?: Uint8Array;
  readonly state: 'accepted' | 'confirmed' | 'anchored' | 'refused';
  /** Where it is in the private ledger, if it went there. */
  readonly place?: LedgerPlace;
  readonly txId?: string;
  readonly anchoredReceipt?: Uint8Array;
  readonly refusal?: { readonly code: string; readonly message: string };
}

/** Where a batch is in the firm's private ledger, and what the audit said of its records. */
export interface LedgerPlace {
  readonly height: number;
  readonly blockHash: string;
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** A batch of a confirmed block. */
export type ConfirmedBatch = Omit<AcceptedBatch, 'receipt'> & { readonly place: LedgerPlace };

/** Last accepted batch of an outlet. */
export interface OutletPosition {
  readonly seq: number;
  readonly batchHash: Uint8Array;
}

/** What the center has accepted, on disk before anybody is told (S4; architecture invariant 2). */
export interface Journal {
  /** Accepts a group of batches in one synced transaction. */
  accept(batches: readonly AcceptedBatch[]): void;
  /** The last batch that stands: accepted or anchored, not refused by the channel. */
  position(outlet: string): OutletPosition | undefined;
  batch(outlet: string, seq: number): JournalBatch | undefined;
  /** Accepted, not yet anchored, oldest first; those of one outlet always in their sequence. */
  pending(limit: number): JournalBatch[];
  pendingCount(): number;
  counts(): { accepted: number; confirmed: number; anchored: number; refused: number };
  /** Takes the batches of confirmed blocks up to a height of the private ledger, in one transaction. What is there already stays. */
  project(batches: readonly ConfirmedBatch[], height: number): void;
  /** How far the private ledger has been taken in. */
  projectedHeight(): number;
  /** Keeps the receipt that was signed for a batch in its present state. */
  keepReceipt(outlet: string, seq: number, receipt: Uint8Array): void;
  /** The lowest block of the private ledger with a batch that is not anchored. */
  lowestUnanchored(): number | undefined;
  /** Marks what blocks hold as anchored; answers it. */
  markAnchoredBlocks(first: number, last: number, txId: string): readonly { outlet: string; seq: number }[];
  markAnchored(marks: readonly { outlet: string; seq: number; txId: string; receipt: Uint8Array }[]): void;
  /** Takes a batch out of the index too, so that its records can be sent again under the same number. */
  markRefused(outlet: string, seq: number, refusal: { code: string; message: string }): void;
  contentTag(oid: Uint8Array): Uint8Array | undefined;
  findByOid(oid: Uint8Array): IndexHit | undefined;
  findByToken(token: Uint8Array, limit: number): IndexHit[];
  /** Whether batches stand whose records or tokens are not here (any more). */
  isEmptied(): boolean;
  consignmentKey(consignmentOid: Uint8Array, epoch: number): Uint8Array | undefined;
  logAccess(entry: { atMs: number; caller: string; asked: Uint8Array; outcome: string }): void;
  close(): void;
}

/**
 * Opens (or makes) the journal file. Every commit is synced before it returns, unless it follows a private ledger: then what a power cut takes of its end is taken in
 * again from the ledger's chain.
 */
export function openJournal(path: string, options: { readonly followsLedger?: boolean } = {}): Journal {
  return new SqliteJournal(path, options.followsLedger === true ? 'NORMAL' : 'FULL');
}

class SqliteJournal implements Journal {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  #pending: number;

  constructor(path: string, synchronous: 'FULL' | 'NORMAL') {
    this.#db = new DatabaseSync(path);
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA busy_timeout = 5000;`);
    // Ids are random: without room for the trees' pages every insert would read and every checkpoint rewrite them.
    this.#db.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;');
    prepareJournal(this.#db);
    this.#sql = statementsOf(this.#db);
    this.#pending = this.#countPending();
  }

  accept(batches: readonly AcceptedBatch[]): void {
    const freeNumber = this.#sql.prepared("DELETE FROM batch WHERE outlet = ? AND seq = ? AND state = 'refused'");
    const insertBatch = this.#sql.prepared(
      `INSERT INTO batch (outlet, seq, batch_hash, cid, count, evidence, message_id, receipt, state, accepted_at, turn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?)`,
    );
    const turnOf = this.#sql.prepared("SELECT turn FROM batch WHERE outlet = ? AND seq = ? AND state = 'accepted'");
    this.#sql.transaction(() => {
      for (const batch of batches) {
        freeNumber.run(batch.outlet, batch.seq);
        insertBatch.run(
          batch.outlet,
          batch.seq,
          batch.batchHash,
          batch.cid,
          batch.records.length,
          JSON.stringify(batch.evidence),
          batch.messageId,
          batch.receipt,
          batch.acceptedAtMs,
          Math.max(batch.acceptedAtMs, Number(turnOf.get(batch.outlet, batch.seq - 1)?.['turn'] ?? 0)),
        );
        this.#insertContent(batch, new Set());
      }
    });
    this.#pending += batches.length;
  }

  project(batches: readonly ConfirmedBatch[], height: number): void {
    const insertBatch = this.#sql.prepared(
      `INSERT OR IGNORE INTO batch (outlet, seq, batch_hash, cid, count, evidence, message_id, state, accepted_at, turn, height, block_hash, rejected)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'confirmed', ?, 0, ?, ?, ?)`,
    );
    this.#sql.transaction(() => {
      for (const batch of batches) {
        const { place } = batch;
        const { changes } = insertBatch.run(
          batch.outlet,
          batch.seq,
          batch.batchHash,
          batch.cid,
          batch.records.length,
          JSON.stringify(batch.evidence),
          batch.messageId,
          batch.acceptedAtMs,
          place.height,
          place.blockHash,
          place.rejected.length === 0
            ? null
            : JSON.stringify(place.rejected.map(({ index, reason }) => [index, reason])),
        );
        if (Number(changes) > 0) this.#insertContent(batch, new Set(place.rejected.map(({ index }) => index)));
      }
      this.#sql
        .prepared(
          'INSERT INTO projected (id, height) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET height = excluded.height',
        )
        .run(height);
    });
    this.#pending = this.#countPending();
  }

  projectedHeight(): number {
    return Number(this.#sql.one('SELECT height FROM projected WHERE id = 1')?.['height'] ?? 0);
  }

  keepReceipt(outlet: string, seq: number, receipt: Uint8Array): void {
    this.#sql
      .prepared(
        `UPDATE batch SET receipt = CASE state WHEN 'anchored' THEN receipt ELSE ?3 END,
           anchored_receipt = CASE state WHEN 'anchored' THEN ?3 ELSE anchored_receipt END WHERE outlet = ?1 AND seq = ?2`,
      )
      .run(outlet, seq, receipt);
  }

  markAnchoredBlocks(first: number, last: number, txId: string): readonly { outlet: string; seq: number }[] {
    const marked = this.#sql.all(
      `UPDATE batch SET state = 'anchored', tx_id = ? WHERE height BETWEEN ? AND ? AND state = 'confirmed' RETURNING outlet, seq`,
      txId,
      first,
      last,
    );
    this.#pending -= marked.length;
    return marked.map((row) => ({ outlet: String(row['outlet']), seq: Number(row['seq']) }));
  }

  lowestUnanchored(): number | undefined {
    const height = this.#sql.one("SELECT min(height) AS height FROM batch WHERE state = 'confirmed'")?.['height'];
    return typeof height === 'number' ? height : undefined;
  }

  #countPending(): number {
    return Number(
      this.#sql.one("SELECT count(*) AS n FROM batch WHERE state IN ('accepted', 'confirmed')")?.['n'] ?? 0,
    );
  }

  /** Records that were not rejected, their tokens, and keys. */
  #insertContent(batch: Omit<AcceptedBatch, 'receipt'>, rejected: ReadonlySet<number>): void {
    const insertRecord = this.#sql.prepared(
      'INSERT INTO record (oid, content_tag, cid, outlet, seq, leaf) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const insertToken = this.#sql.prepared('INSERT OR IGNORE INTO token (token, oid) VALUES (?, ?)');
    const insertKey = this.#sql.prepared(
      'INSERT OR IGNORE INTO consignment_key (consignment, epoch, wrapped) VALUES (?, ?, ?)',
    );
    batch.records.forEach(({ oid, contentTag, cid }, leaf) => {
      if (!rejected.has(leaf)) insertRecord.run(oid, contentTag, cid, batch.outlet, batch.seq, leaf);
    });
    batch.records.forEach(({ oid, tokens }, leaf) => {
      if (!rejected.has(leaf)) for (const token of tokens) insertToken.run(token, oid);
    });
    for (const key of batch.consignmentKeys) insertKey.run(key.consignmentOid, key.epoch, key.wrapped);
  }

  position(outlet: string): OutletPosition | undefined {
    const row = this.#sql.one(
      "SELECT seq, batch_hash FROM batch WHERE outlet = ? AND state <> 'refused' ORDER BY seq DESC LIMIT 1",
      outlet,
    );
    return row === undefined ? undefined : { seq: Number(row['seq']), batchHash: row['batch_hash'] as Uint8Array };
  }

  batch(outlet: string, seq: number): JournalBatch | undefined {
    const row = this.#sql.one('SELECT * FROM batch WHERE outlet = ? AND seq = ?', outlet, seq);
    return row === undefined ? undefined : toBatch(row);
  }

  pending(limit: number): JournalBatch[] {
    return this.#sql
      .all("SELECT * FROM batch WHERE state = 'accepted' ORDER BY turn, outlet, seq LIMIT ?", limit)
      .map(toBatch);
  }

  pendingCount(): number {
    return this.#pending;
  }

  counts(): { accepted: number; confirmed: number; anchored: number; refused: number } {
    const counts = { accepted: 0, confirmed: 0, anchored: 0, refused: 0 };
    for (const row of this.#sql.all('SELECT state, count(*) AS n FROM batch GROUP BY state')) {
      counts[row['state'] as keyof typeof counts] = Number(row['n']);
    }
    return counts;
  }

  markAnchored(marks: readonly { outlet: string; seq: number; txId: string; receipt: Uint8Array }[]): void {
    const update = this.#sql.prepared(
      `UPDATE batch SET state = 'anchored', tx_id = ?, anchored_receipt = ? WHERE outlet = ? AND seq = ? AND state = 'accepted'`,
    );
    let changed = 0;
    this.#sql.transaction(() => {
      for (const mark of marks) changed += Number(update.run(mark.txId, mark.receipt, mark.outlet, mark.seq).changes);
    });
    this.#pending -= changed;
  }

  markRefused(outlet: string, seq: number, refusal: { code: string; message: string }): void {
    this.#sql.transaction(() => {
      const { changes } = this.#sql
        .prepared(`UPDATE batch SET state = 'refused', refusal = ? WHERE outlet = ? AND seq = ? AND state = 'accepted'`)
        .run(JSON.stringify(refusal), outlet, seq);
      if (Number(changes) === 0) return;
      // Rare enough to go without an index, which every record would pay for.
      this.#sql.prepared('DELETE FROM record WHERE outlet = ? AND seq = ?').run(outlet, seq);
      this.#pending -= 1;
    });
  }

  contentTag(oid: Uint8Array): Uint8Array | undefined {
    return this.#sql.one('SELECT content_tag FROM record WHERE oid = ?', oid)?.['content_tag'] as
      Uint8Array | undefined;
  }

  findByOid(oid: Uint8Array): IndexHit | undefined {
    const row = this.#sql.one('SELECT oid, cid, outlet, seq, leaf FROM record WHERE oid = ?', oid);
    return row === undefined ? undefined : toHit(row);
  }

  findByToken(token: Uint8Array, limit: number): IndexHit[] {
    return this.#sql
      .all(
        `SELECT r.oid, r.cid, r.outlet, r.seq, r.leaf FROM token t JOIN record r ON r.oid = t.oid WHERE t.token = ? ORDER BY r.outlet, r.seq, r.leaf LIMIT ?`,
        token,
        limit,
      )
      .map(toHit);
  }

  isEmptied(): boolean {
    const row = this.#sql.one(
      `SELECT EXISTS (SELECT 1 FROM batch WHERE state <> 'refused') AS stands,
        EXISTS (SELECT 1 FROM record) AS records, EXISTS (SELECT 1 FROM token) AS tokens`,
    );
    return row?.['stands'] === 1 && (row['records'] === 0 || row['tokens'] === 0);
  }

  consignmentKey(consignmentOid: Uint8Array, epoch: number): Uint8Array | undefined {
    const row = this.#sql.one(
      'SELECT wrapped FROM consignment_key WHERE consignment = ? AND epoch = ?',
      consignmentOid,
      epoch,
    );
    return row?.['wrapped'] as Uint8Array | undefined;
  }

  logAccess(entry: { atMs: number; caller: string; asked: Uint8Array; outcome: string }): void {
    this.#sql
      .prepared('INSERT INTO access (at, caller, asked, outcome) VALUES (?, ?, ?, ?)')
      .run(entry.atMs, entry.caller, entry.asked, entry.outcome);
  }

  close(): void {
    this.#db.close();
  }
}

function toBatch(row: Row): JournalBatch {
  const text = (key: string): string | undefined => (typeof row[key] === 'string' ? row[key] : undefined);
  const txId = text('tx_id');
  const refusal = text('refusal');
  const anchoredReceipt = row['anchored_receipt'];
  return {
    outlet: String(row['outlet']),
    seq: Number(row['seq']),
    batchHash: row['batch_hash'] as Uint8Array,
    cid: String(row['cid']),
    count: Number(row['count']),
    evidence: JSON.parse(String(row['evidence'])) as Evidence,
    messageId: row['message_id'] as Uint8Array,
    acceptedAtMs: Number(row['accepted_at']),
    ...(row['receipt'] instanceof Uint8Array ? { receipt: row['receipt'] } : {}),
    ...(row['height'] === null ? {} : { place: toPlace(row) }),
    state: row['state'] as JournalBatch['state'],
    ...(txId === undefined ? {} : { txId }),
    ...(anchoredReceipt instanceof Uint8Array ? { anchoredReceipt } : {}),
    ...(refusal === undefined ? {} : { refusal: JSON.parse(refusal) as { code: string; message: string } }),
  };
}

function toPlace(row: Row): LedgerPlace {
  const rejected = typeof row['rejected'] === 'string' ? (JSON.parse(row['rejected']) as [number, string][]) : [];
  return {
    height: Number(row['height']),
    blockHash: String(row['block_hash']),
    rejected: rejected.map(([index, reason]) => ({ index, reason })),
  };
}

function toHit(row: Row): IndexHit {
  return {
    recordOid: row['oid'] as Uint8Array,
    outlet: String(row['outlet']),
    seq: Number(row['seq']),
    leafIndex: Number(row['leaf']),
    cid: row['cid'] as Uint8Array,
  };
}
