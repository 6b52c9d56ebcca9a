/** Raised with every change of the tables. What an older file holds of the channel is dropped and read again; tokens stay. */
export const schemaVersion = 2;

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
CREATE TABLE IF NOT EXISTS private_ledger (
  msp TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  head TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_configuration (
  msp TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (msp, epoch)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_certificate (
  msp TEXT NOT NULL,
  digest TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (msp, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anchor (
  msp TEXT NOT NULL,
  last INTEGER NOT NULL,
  value TEXT NOT NULL,
  block_number INTEGER NOT NULL,
  PRIMARY KEY (msp, last)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger_report (
  num INTEGER PRIMARY KEY,
  msp TEXT NOT NULL,
  id TEXT NOT NULL,
  value TEXT NOT NULL,
  block_number INTEGER NOT NULL,
  UNIQUE (msp, id)
);
`;

/** Tables that are read from the channel and the content store, and can be emptied. Tokens come from this node alone. */
export const projectedTables = [
  'checkpoint',
  'evidence',
  'pending_leaves',
  'leaf',
  'organisation',
  'node',
  'private_ledger',
  'ledger_configuration',
  'ledger_certificate',
  'anchor',
  'ledger_report',
] as const;
