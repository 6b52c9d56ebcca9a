import type { Statements } from '@waymark/service-kit';
import type { SubmittedRecord } from '@waymark/vault';
import type { Rejections } from './batch-state.ts';

/** Where a rejected record was. */
export interface RejectedPlace {
  readonly batch: number;
  readonly leaf: number;
}

/** Records of confirmed batches that did not pass the audit. Callers hold the transaction. */
export interface RejectionTable {
  of(batch: number): Rejections;
  /** The rejection of exactly this record that nobody was told of yet. */
  untold(oid: Uint8Array, contentTag: Uint8Array): RejectedPlace | undefined;
  tell(place: RejectedPlace): void;
  /** Frees the ids of rejected records. */
  put(batch: number, records: readonly SubmittedRecord[], rejected: Rejections): void;
  /** Takes the rejections of a batch back, as it will be judged anew; what was handed in again since then stays where it is now. */
  withdraw(batch: number, records: readonly SubmittedRecord[]): void;
}

/** Rejections over the outbox's file. */
export function rejectionTable(sql: Statements): RejectionTable {
  return {
    of: (batch) =>
      new Map(
        sql
          .all('SELECT leaf, reason FROM rejection WHERE batch = ? ORDER BY leaf', batch)
          .map((row) => [Number(row['leaf']), String(row['reason'])]),
      ),
    untold(oid, contentTag) {
      const row = sql.one(
        'SELECT batch, leaf FROM rejection WHERE oid = ? AND told = 0 AND content_tag = ? ORDER BY batch DESC LIMIT 1',
        oid,
        contentTag,
      );
      return row === undefined ? undefined : { batch: Number(row['batch']), leaf: Number(row['leaf']) };
    },
    tell: ({ batch, leaf }) => {
      sql.run('UPDATE rejection SET told = 1 WHERE batch = ? AND leaf = ? AND told = 0', batch, leaf);
    },
    put(batch, records, rejected) {
      for (const [leaf, reason] of rejected) {
        const record = records[leaf];
        if (record === undefined) continue;
        sql.run(
          'INSERT OR IGNORE INTO rejection (batch, leaf, oid, content_tag, reason) VALUES (?, ?, ?, ?, ?)',
          batch,
          leaf,
          record.recordOid,
          record.contentTag,
          reason,
        );
        sql.run('DELETE FROM record WHERE oid = ? AND batch = ?', record.recordOid, batch);
        for (const token of record.tokens)
          sql.run('DELETE FROM token WHERE token = ? AND batch = ? AND leaf = ?', token, batch, leaf);
      }
    },
    withdraw(batch, records) {
      for (const row of sql.all('SELECT leaf FROM rejection WHERE batch = ?', batch)) {
        const leaf = Number(row['leaf']);
        const record = records[leaf];
        if (record === undefined) continue;
        const { recordOid, contentTag, tokens } = record;
        if (sql.one('SELECT 1 FROM record WHERE oid = ?', recordOid) !== undefined) continue;
        sql.run('DELETE FROM rejection WHERE batch = ? AND leaf = ?', batch, leaf);
        sql.run('INSERT INTO record (oid, content_tag, batch, leaf) VALUES (?, ?, ?, ?)', recordOid, contentTag, batch, leaf); // prettier-ignore
        for (const token of tokens)
          sql.run('INSERT OR IGNORE INTO token (token, batch, leaf, oid) VALUES (?, ?, ?, ?)', token, batch, leaf, recordOid); // prettier-ignore
      }
    },
  };
}
