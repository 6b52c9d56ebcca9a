/** Raised with every change of the tables; an older file is dropped and read anew from the channel. */
export const schemaVersion = 1;

/**
 * The replica and index (S6): addresses and node facts, never payloads. `WITHOUT ROWID` keeps a look-up by id to one
 * descent of one tree. `checkpoint` has one row and changes in the same transaction as what it vouches for.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS checkpoint (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  block_number INTEGER NOT NULL,
  block_hash BLOB NOT NULL,
  evidence_count INTEGER NOT NULL,
  leaf_count INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence (
  num INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  value TEXT NOT NULL,
  tx_id TEXT NOT NULL,
  block_number INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pending_leaves (
  evidence INTEGER PRIMARY KEY,
  attempts INTEGER NOT NULL,
  due_at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS pending_leaves_due ON pending_leaves (due_at_ms);
CREATE TABLE IF NOT EXISTS leaf (
  record_oid BLOB NOT NULL,
  evidence INTEGER NOT NULL,
  leaf_index INTEGER NOT NULL,
  cid BLOB NOT NULL,
  PRIMARY KEY (record_oid, evidence)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (
  token BLOB NOT NULL,
  record_oid BLOB NOT NULL,
  PRIMARY KEY (token, record_oid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS organisation (
  msp TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS node (
  msp TEXT NOT NULL,
  enrolment_id TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (msp, enrolment_id)
) WITHOUT ROWID;
`;

/** Tables that are read from the channel and the content store, and can be emptied. Tokens come from this node alone. */
export const projectedTables = ['checkpoint', 'evidence', 'pending_leaves', 'leaf', 'organisation', 'node'] as const;
