import { DatabaseSync } from 'node:sqlite';
import { bytesEqual, WaymarkError } from '@waymark/protocol';
import { type Statements, statementsOf } from '@waymark/service-kit';
import type { WrappedKeyTable } from '@waymark/vault';
import { type BatchBody, decodeBody, encodeBody } from './batch-body.ts';
import { type BatchState, batchStateOf } from './batch-state.ts';
import type {
  BatchCounts,
  Confirmation,
  NewBatch,
  Outbox,
  Position,
  QueuedBatch,
  RecordPlace,
  Stamp,
} from './contract.ts';
import { type RejectedPlace, type RejectionTable, rejectionTable } from './rejections.ts';
import { prepareOutbox } from './schema.ts';

export type * from './contract.ts';

const noHash = new Uint8Array(32);
const maxRecentBodies = 32;

/** Opens (or makes) the outbox file; every commit is synced before it returns. */
export function openOutbox(path: string): Outbox {
  return new SqliteOutbox(path);
}

class SqliteOutbox implements Outbox {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #rejections: RejectionTable;
  readonly #newKeys = new Map<string, { consignmentOid: Uint8Array; epoch: number; wrapped: Uint8Array }>();
  /** Bodies that were queued a moment ago and are about to be sent. */
  readonly #recentBodies = new Map<number, BatchBody>();
  #nextSeq: number;
  #queued: number;
  readonly keyTable: WrappedKeyTable;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
    // Ids are random: without room for the tree's pages every insert would read and every checkpoint rewrite them.
    this.#db.exec('PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;');
    prepareOutbox(this.#db);
    this.#sql = statementsOf(this.#db);
    this.#rejections = rejectionTable(this.#sql);
    this.#nextSeq =
      Math.max(Number(this.#sql.one('SELECT max(seq) AS seq FROM batch')?.['seq'] ?? 0), this.position().seq) + 1;
    this.#queued = Number(this.#sql.one("SELECT count(*) AS n FROM batch WHERE state = 'queued'")?.['n'] ?? 0);
    this.keyTable = {
      get: (oid, epoch) => Promise.resolve(this.#wrappedKey(oid, epoch)),
      putIfAbsent: (consignmentOid, epoch, wrapped) => {
        const held = this.#wrappedKey(consignmentOid, epoch);
        if (held === null) this.#newKeys.set(keyName(consignmentOid, epoch), { consignmentOid, epoch, wrapped });
        return Promise.resolve(held ?? wrapped);
      },
    };
  }

  queue({ body, records, consignments }: NewBatch): number {
    const keys = [...this.#newKeys];
    let id = 0;
    this.#sql.transaction(() => {
      const { lastInsertRowid } = this.#sql.run(
        "INSERT INTO batch (seq, state, count, body) VALUES (?, 'queued', ?, ?)",
        this.#nextSeq,
        records.length,
        encodeBody(body),
      );
      id = Number(lastInsertRowid);
      records.forEach(({ oid, contentTag }, leaf) =>
        this.#sql.run(
          'INSERT INTO record (oid, content_tag, batch, leaf) VALUES (?, ?, ?, ?)',
          oid,
          contentTag,
          id,
          leaf,
        ),
      );
      body.records.forEach(({ recordOid, tokens }, leaf) => {
        for (const token of tokens) {
          this.#sql.run(
            'INSERT OR IGNORE INTO token (token, batch, leaf, oid) VALUES (?, ?, ?, ?)',
            token,
            id,
            leaf,
            recordOid,
          );
        }
      });
      for (const { token, oid, epoch } of consignments) {
        this.#sql.run('INSERT OR IGNORE INTO consignment (token, oid, epoch) VALUES (?, ?, ?)', token, oid, epoch);
      }
      for (const [, key] of keys) {
        this.#sql.run(
          'INSERT OR IGNORE INTO consignment_key (consignment, epoch, wrapped) VALUES (?, ?, ?)',
          key.consignmentOid,
          key.epoch,
          key.wrapped,
        );
      }
    });
    this.#nextSeq += 1;
    this.#queued += 1;
    for (const [name] of keys) this.#newKeys.delete(name);
    this.#recentBodies.set(id, body);
    if (this.#recentBodies.size > maxRecentBodies) {
      this.#recentBodies.delete(this.#recentBodies.keys().next().value ?? 0);
    }
    return id;
  }

  record(oid: Uint8Array): RecordPlace | undefined {
    const row = this.#sql.one('SELECT content_tag, batch, leaf FROM record WHERE oid = ?', oid);
    if (row === undefined) return undefined;
    return { contentTag: row['content_tag'] as Uint8Array, batch: Number(row['batch']), leaf: Number(row['leaf']) };
  }

  findByToken(token: Uint8Array, limit: number): Uint8Array[] {
    const rows = this.#sql.all('SELECT oid FROM token WHERE token = ? ORDER BY batch, leaf LIMIT ?', token, limit);
    if (rows.length === 0 && this.#tokensEmptied()) {
      throw new WaymarkError('unavailable', 'The index of this outlet was emptied.');
    }
    return rows.map((row) => row['oid'] as Uint8Array);
  }

  state(batch: number): BatchState | undefined {
    const row = this.#sql.one(
      'SELECT seq, state, batch_hash, tx_id, refusal, height, block_hash FROM batch WHERE id = ?',
      batch,
    );
    return row === undefined ? undefined : batchStateOf(row, () => this.#rejections.of(batch));
  }

  untoldRejection(oid: Uint8Array, contentTag: Uint8Array): RejectedPlace | undefined {
    return this.#rejections.untold(oid, contentTag);
  }

  tellRejection(place: RejectedPlace): void {
    this.#rejections.tell(place);
  }

  consignment(token: Uint8Array): { oid: Uint8Array; epoch: number } | undefined {
    const row = this.#sql.one('SELECT oid, epoch FROM consignment WHERE token = ?', token);
    return row === undefined ? undefined : { oid: row['oid'] as Uint8Array, epoch: Number(row['epoch']) };
  }

  queuedAfter(seq: number, limit: number): QueuedBatch[] {
    return this.#toSend(
      "SELECT id, seq, statement, signature, batch_hash FROM batch WHERE state = 'queued' AND seq > ? ORDER BY seq LIMIT ?",
      seq,
      limit,
    );
  }

  withoutBlockAfter(seq: number, limit: number): QueuedBatch[] {
    return this.#toSend(
      "SELECT id, seq, statement, signature, batch_hash FROM batch WHERE state = 'accepted' AND ledger_receipt IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?",
      seq,
      limit,
    );
  }

  unanchoredAfter(seq: number, limit: number): QueuedBatch[] {
    // In two parts, each of which has an index of its own: all that is anchored is passed over.
    return this.#toSend(
      "SELECT id, seq, statement, signature, batch_hash FROM (SELECT * FROM batch WHERE state = 'accepted' AND ledger_receipt IS NOT NULL AND seq > ?1 UNION ALL SELECT * FROM batch INDEXED BY batch_confirmed WHERE state = 'confirmed' AND seq > ?1) ORDER BY seq LIMIT ?2",
      seq,
      limit,
    );
  }

  queuedCount(): number {
    return this.#queued;
  }

  stamp(id: number, { statement, signature, batchHash }: Stamp): void {
    this.#sql.run(
      'UPDATE batch SET statement = ?, signature = ?, batch_hash = ? WHERE id = ?',
      statement,
      signature,
      batchHash,
      id,
    );
  }

  unstampAfter(seq: number): void {
    this.#sql.run(
      "UPDATE batch SET statement = NULL, signature = NULL, batch_hash = NULL WHERE state = 'queued' AND seq > ?",
      seq,
    );
  }

  position(): Position {
    const row = this.#sql.one('SELECT seq, batch_hash FROM position WHERE id = 1');
    return row === undefined
      ? { seq: 0, batchHash: noHash }
      : { seq: Number(row['seq']), batchHash: row['batch_hash'] as Uint8Array };
  }

  follow(center: Position): void {
    const known = this.position();
    const isCenters = (hash: unknown): boolean => hash instanceof Uint8Array && bytesEqual(hash, center.batchHash);
    if (center.seq === known.seq && isCenters(known.batchHash)) return;
    const same = this.#sql.one('SELECT batch_hash FROM batch WHERE seq = ?', center.seq);
    // Batches were accepted whose receipts did not arrive: sent again as they are, they get them.
    if (center.seq > known.seq && isCenters(same?.['batch_hash'])) return;
    const anchored = this.#sql.one(
      "SELECT seq FROM batch WHERE state = 'anchored' AND (seq > ? OR (seq = ? AND batch_hash <> ?)) LIMIT 1",
      center.seq,
      center.seq,
      center.batchHash,
    );
    if (anchored !== undefined) {
      throw new WaymarkError('replay-conflict', 'The center does not have a batch that the channel has.', {
        details: { seq: Number(anchored['seq']), centerSeq: center.seq },
      });
    }
    // Either this outbox does not know what the center has (it was lost, or restored from an old copy), or the center no longer has
    // what it accepted (the channel refused a batch, so those behind it link to nothing): go on from the center's position.
    const going: number[] = [];
    this.#sql.transaction(() => {
      const rows = this.#sql.all(
        "SELECT id FROM batch WHERE state = 'queued' OR (state IN ('accepted', 'confirmed') AND (seq > ? OR (seq = ? AND batch_hash <> ?))) ORDER BY seq",
        center.seq,
        center.seq,
        center.batchHash,
      );
      going.push(...rows.map((row) => Number(row['id'])));
      // Numbers are unique at every moment: first none, then the new ones.
      for (const id of going) {
        if (this.#rejections.of(id).size > 0) this.#rejections.withdraw(id, this.#body(id).records);
        this.#sql.run(
          "UPDATE batch SET seq = NULL, state = 'queued', statement = NULL, signature = NULL, batch_hash = NULL, receipt = NULL, height = NULL, block_hash = NULL, ledger_receipt = NULL WHERE id = ?",
          id,
        );
      }
      going.forEach((id, index) => this.#sql.run('UPDATE batch SET seq = ? WHERE id = ?', center.seq + 1 + index, id));
      this.#savePosition(center);
    });
    this.#queued = going.length;
    this.#nextSeq = center.seq + 1 + going.length;
  }

  markAccepted(id: number, receipt: Uint8Array, ledgerReceipt?: Uint8Array): void {
    this.#sql.transaction(() => {
      const row = this.#sql.one("SELECT seq, batch_hash FROM batch WHERE id = ? AND state = 'queued'", id);
      if (row === undefined) return;
      this.#sql.run(
        "UPDATE batch SET state = 'accepted', receipt = ?, ledger_receipt = ? WHERE id = ?",
        receipt,
        ledgerReceipt ?? null,
        id,
      );
      const seq = Number(row['seq']);
      if (seq > this.position().seq) this.#savePosition({ seq, batchHash: row['batch_hash'] as Uint8Array });
      this.#queued -= 1;
    });
    this.#recentBodies.delete(id);
  }

  markConfirmed(id: number, { receipt, height, blockHash, rejected }: Confirmation): void {
    this.#sql.transaction(() => {
      const { changes } = this.#sql.run(
        "UPDATE batch SET state = 'confirmed', receipt = ?, height = ?, block_hash = ? WHERE id = ? AND state = 'accepted'",
        receipt,
        height,
        blockHash,
        id,
      );
      if (Number(changes) > 0 && rejected.size > 0) this.#rejections.put(id, this.#body(id).records, rejected);
    });
  }

  markAnchored(id: number, receipt: Uint8Array, txId: string): void {
    this.#sql.run(
      "UPDATE batch SET state = 'anchored', receipt = ?, tx_id = ?, body = NULL WHERE id = ? AND state IN ('accepted', 'confirmed')",
      receipt,
      txId,
      id,
    );
  }

  markRefused(id: number, refusal: { code: string; message: string }): void {
    this.#sql.transaction(() => {
      const row = this.#sql.one("SELECT seq, state FROM batch WHERE id = ? AND state IN ('queued', 'accepted')", id);
      if (row === undefined) return;
      const wasQueued = row['state'] === 'queued';
      this.#body(id).records.forEach(({ tokens }, leaf) => {
        for (const token of tokens) {
          this.#sql.run('DELETE FROM token WHERE token = ? AND batch = ? AND leaf = ?', token, id, leaf);
        }
      });
      const seq = Number(row['seq']);
      this.#sql.run(
        "UPDATE batch SET state = 'refused', refusal = ?, body = NULL, seq = NULL WHERE id = ?",
        JSON.stringify(refusal),
        id,
      );
      this.#sql.run('DELETE FROM record WHERE batch = ?', id);
      if (!wasQueued) return;
      for (const later of this.#sql.all("SELECT id FROM batch WHERE state = 'queued' AND seq > ? ORDER BY seq", seq)) {
        this.#sql.run('UPDATE batch SET seq = seq - 1 WHERE id = ?', Number(later['id']));
      }
      this.unstampAfter(seq - 1);
      this.#nextSeq -= 1;
      this.#queued -= 1;
    });
  }

  counts(): BatchCounts {
    const counts = { queued: 0, accepted: 0, confirmed: 0, anchored: 0, refused: 0 };
    for (const row of this.#sql.all('SELECT state, count(*) AS n FROM batch GROUP BY state')) {
      counts[row['state'] as keyof typeof counts] = Number(row['n']);
    }
    return counts;
  }

  ledgerReceipt(id: number): Uint8Array | undefined {
    const held = this.#sql.one('SELECT ledger_receipt FROM batch WHERE id = ?', id)?.['ledger_receipt'];
    return held instanceof Uint8Array ? held : undefined;
  }

  confirmedIn(first: number, last: number): { id: number; height: number; receipt: Uint8Array }[] {
    return this.#sql
      .all(
        "SELECT id, height, receipt FROM batch WHERE state = 'confirmed' AND height BETWEEN ? AND ? ORDER BY height",
        first,
        last,
      )
      .map((row) => ({
        id: Number(row['id']),
        height: Number(row['height']),
        receipt: row['receipt'] as Uint8Array,
      }));
  }

  accepted(): { id: number; seq: number }[] {
    return this.#sql.all("SELECT id, seq FROM batch WHERE state = 'accepted' ORDER BY seq").map((row) => ({
      id: Number(row['id']),
      seq: Number(row['seq']),
    }));
  }

  acceptedBySeq(seq: number): { id: number; batchHash: Uint8Array; receipt: Uint8Array } | undefined {
    const row = this.#sql.one("SELECT id, batch_hash, receipt FROM batch WHERE seq = ? AND state = 'accepted'", seq);
    if (row === undefined) return undefined;
    return { id: Number(row['id']), batchHash: row['batch_hash'] as Uint8Array, receipt: row['receipt'] as Uint8Array };
  }

  allowList(consignmentOid: Uint8Array): Uint8Array | undefined {
    return this.#sql.one('SELECT signed FROM allow_list WHERE consignment = ?', consignmentOid)?.['signed'] as
      Uint8Array | undefined;
  }

  allowLists(): Uint8Array[] {
    return this.#sql.all('SELECT signed FROM allow_list').map((row) => row['signed'] as Uint8Array);
  }

  putAllowList(consignmentOid: Uint8Array, seq: number, signed: Uint8Array): void {
    this.#sql.run(
      'INSERT INTO allow_list (consignment, seq, signed) VALUES (?, ?, ?) ON CONFLICT (consignment) DO UPDATE SET seq = excluded.seq, signed = excluded.signed WHERE excluded.seq > seq',
      consignmentOid,
      seq,
      signed,
    );
  }

  close(): void {
    this.#db.close();
  }

  #wrappedKey(consignmentOid: Uint8Array, epoch: number): Uint8Array | null {
    const fresh = this.#newKeys.get(keyName(consignmentOid, epoch));
    if (fresh !== undefined) return fresh.wrapped;
    const row = this.#sql.one(
      'SELECT wrapped FROM consignment_key WHERE consignment = ? AND epoch = ?',
      consignmentOid,
      epoch,
    );
    return (row?.['wrapped'] as Uint8Array | undefined) ?? null;
  }

  #tokensEmptied(): boolean {
    const row = this.#sql.one(
      "SELECT EXISTS (SELECT 1 FROM batch WHERE state <> 'refused') AND NOT EXISTS (SELECT 1 FROM token) AS emptied",
    );
    return row?.['emptied'] === 1;
  }

  #toSend(query: string, seq: number, limit: number): QueuedBatch[] {
    return this.#sql.all(query, seq, limit).map((row) => ({
      id: Number(row['id']),
      seq: Number(row['seq']),
      body: this.#body(Number(row['id'])),
      stamp:
        row['statement'] === null
          ? undefined
          : {
              statement: row['statement'] as Uint8Array,
              signature: row['signature'] as Uint8Array,
              batchHash: row['batch_hash'] as Uint8Array,
            },
    }));
  }

  #body(id: number): BatchBody {
    const recent = this.#recentBodies.get(id);
    if (recent !== undefined) return recent;
    return decodeBody(this.#sql.one('SELECT body FROM batch WHERE id = ?', id)?.['body'] as Uint8Array);
  }

  #savePosition({ seq, batchHash }: Position): void {
    this.#sql.run(
      'INSERT INTO position (id, seq, batch_hash) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, batch_hash = excluded.batch_hash',
      seq,
      batchHash,
    );
  }
}

function keyName(consignmentOid: Uint8Array, epoch: number): string {
  return `${Buffer.from(consignmentOid).toString('base64')}/${epoch}`;
}
