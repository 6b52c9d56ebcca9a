import type { DatabaseSync } from 'node:sqlite';
import { WaymarkError } from '@waymark/protocol';

const batchColumns = `
  outlet TEXT NOT NULL,
  seq INTEGER NOT NULL,
  batch_hash BLOB NOT NULL,
  cid TEXT NOT NULL,
  count INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  message_id BLOB NOT NULL,
  receipt BLOB,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'confirmed', 'anchored', 'refused')),
  tx_id TEXT,
  anchored_receipt BLOB,
  refusal TEXT,
  accepted_at INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  height INTEGER,
  block_hash TEXT,
  rejected TEXT,
  PRIMARY KEY (outlet, seq)`;

/**
 * The center's journal, one SQLite file. `WITHOUT ROWID` keeps a lookup by id to one B-tree descent. `turn` orders what waits for the
 * channel: the time of acceptance, but never before the batch it follows, whatever the clock did. `height`, `block_hash` and `rejected` are those of batches in a
 * private ledger, which `projected` says how far it was taken from.
 */
const journalSchema = `
CREATE TABLE IF NOT EXISTS batch (${batchColumns}) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batch_pending ON batch (turn) WHERE state = 'accepted';
CREATE INDEX IF NOT EXISTS batch_unanchored ON batch (height) WHERE state = 'confirmed';
CREATE TABLE IF NOT EXISTS record (
  oid BLOB PRIMARY KEY,
  content_tag BLOB NOT NULL,
  cid BLOB NOT NULL,
  outlet TEXT NOT NULL,
  seq INTEGER NOT NULL,
  leaf INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (
  token BLOB NOT NULL,
  oid BLOB NOT NULL,
  PRIMARY KEY (token, oid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consignment_key (
  consignment BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  PRIMARY KEY (consignment, epoch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  caller TEXT NOT NULL,
  asked BLOB NOT NULL,
  outcome TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS projected (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  height INTEGER NOT NULL
);
PRAGMA user_version = 2;
`;

/**
 * Makes a new journal, or brings one of version 1, which knew no private ledger, up to date.
 * @throws WaymarkError unsupported: a later version wrote it
 */
export function prepareJournal(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > 2)
    throw new WaymarkError('unsupported', 'A later version wrote the journal.', { details: { version } });
  if (version === 1) {
    database.exec(`
BEGIN IMMEDIATE;
ALTER TABLE batch RENAME TO batch_1;
DROP INDEX batch_pending;
CREATE TABLE batch (${batchColumns}) WITHOUT ROWID;
INSERT INTO batch SELECT outlet, seq, batch_hash, cid, count, evidence, message_id, receipt, state, tx_id, anchored_receipt, refusal, accepted_at, turn, NULL, NULL, NULL FROM batch_1;
DROP TABLE batch_1;
PRAGMA user_version = 2;
COMMIT;`);
  }
  database.exec(journalSchema);
}
