/**
 * The outlet's outbox, one SQLite file. A batch has its own id; its sequence number follows the center's position and is null once the
 * batch was refused. `body` holds what is to be sent and is dropped when the channel has it. No plaintext is here.
 */
export const outboxSchema = `
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
  state TEXT NOT NULL CHECK (state IN ('queued', 'accepted', 'anchored', 'refused')),
  count INTEGER NOT NULL,
  body BLOB,
  statement BLOB,
  signature BLOB,
  batch_hash BLOB,
  receipt BLOB,
  tx_id TEXT,
  refusal TEXT
);
CREATE INDEX IF NOT EXISTS batch_queued ON batch (seq) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS record (
  oid BLOB PRIMARY KEY,
  content_tag BLOB NOT NULL,
  batch INTEGER NOT NULL,
  leaf INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_batch ON record (batch);
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
PRAGMA user_version = 1;
`;
