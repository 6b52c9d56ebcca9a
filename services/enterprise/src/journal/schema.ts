/**
 * The center's journal, one SQLite file. `WITHOUT ROWID` keeps a lookup by id to one B-tree descent. `turn` orders what waits for the
 * channel: the time of acceptance, but never before the batch it follows, whatever the clock did.
 */
export const journalSchema = `
CREATE TABLE IF NOT EXISTS batch (
  outlet TEXT NOT NULL,
  seq INTEGER NOT NULL,
  batch_hash BLOB NOT NULL,
  cid TEXT NOT NULL,
  count INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  message_id BLOB NOT NULL,
  receipt BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('accepted', 'anchored', 'refused')),
  tx_id TEXT,
  anchored_receipt BLOB,
  refusal TEXT,
  accepted_at INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  PRIMARY KEY (outlet, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batch_pending ON batch (turn) WHERE state = 'accepted';
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
PRAGMA user_version = 1;
`;
