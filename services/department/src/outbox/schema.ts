import type { DatabaseSync } from 'node:sqlite';
import { WaymarkError } from '@waymark/protocol';

const schemaVersion = 2;

/**
 * The outlet's outbox, one SQLite file. A batch has its own id; its sequence number follows the center's position and is null once the
 * batch was refused. `body` holds what is to be sent and is dropped when the channel has it. A rejected record of a confirmed batch has a
 * line in `rejection` and none in `record`: its id may be used again. No plaintext is here.
 */
const schema = `
CREATE TABLE IF NOT EXISTS consignment (
  token BLOB PRIMARY KEY,
  oid BLOB NOT NULL,
  epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consignment_key (
  consignment BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  PRIMARY KEY (consignment, epoch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY,
  seq INTEGER UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('queued', 'accepted', 'confirmed', 'anchored', 'refused')),
  count INTEGER NOT NULL,
  body BLOB,
  statement BLOB,
  signature BLOB,
  batch_hash BLOB,
  receipt BLOB,
  tx_id TEXT,
  refusal TEXT,
  height INTEGER,
  block_hash TEXT,
  ledger_receipt BLOB
);
CREATE INDEX IF NOT EXISTS batch_queued ON batch (seq) WHERE state = 'queued';
CREATE INDEX IF NOT EXISTS batch_accepted ON batch (seq) WHERE state = 'accepted';
CREATE INDEX IF NOT EXISTS batch_confirmed ON batch (height) WHERE state = 'confirmed';
CREATE TABLE IF NOT EXISTS record (
  oid BLOB PRIMARY KEY,
  content_tag BLOB NOT NULL,
  batch INTEGER NOT NULL,
  leaf INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_batch ON record (batch);
CREATE TABLE IF NOT EXISTS rejection (
  batch INTEGER NOT NULL,
  leaf INTEGER NOT NULL,
  oid BLOB NOT NULL,
  content_tag BLOB NOT NULL,
  reason TEXT NOT NULL,
  told INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (batch, leaf)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rejection_untold ON rejection (oid) WHERE told = 0;
CREATE TABLE IF NOT EXISTS token (
  token BLOB NOT NULL,
  batch INTEGER NOT NULL,
  leaf INTEGER NOT NULL,
  oid BLOB NOT NULL,
  PRIMARY KEY (token, batch, leaf)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  batch_hash BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS allow_list (
  consignment BLOB PRIMARY KEY,
  seq INTEGER NOT NULL,
  signed BLOB NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = ${String(schemaVersion)};
`;

/** Version 1 knew no confirmed batches: what else it held goes over as it is. */
const fromVersion1 = `
ALTER TABLE batch RENAME TO batch_1;
DROP INDEX batch_queued;
${schema}
INSERT INTO batch (id, seq, state, count, body, statement, signature, batch_hash, receipt, tx_id, refusal)
  SELECT id, seq, state, count, body, statement, signature, batch_hash, receipt, tx_id, refusal FROM batch_1;
DROP TABLE batch_1;
`;

/**
 * Brings an outbox file to the form of this version, whole or not at all.
 * @throws WaymarkError unsupported: a later version wrote the file
 */
export function prepareOutbox(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > schemaVersion) {
    throw new WaymarkError('unsupported', 'The outbox was written by a later version of this service.', {
      details: { version, known: schemaVersion },
    });
  }
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(version === 1 ? fromVersion1 : schema);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
