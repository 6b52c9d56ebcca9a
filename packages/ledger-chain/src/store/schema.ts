/** Version of the tables below, kept as the database's `user_version`. */
export const schemaVersion = 1;

/**
 * What is looked up by name. Blocks and bodies lie beside it, content-addressed; all but `anchor` can be made from them again.
 *
 * A `place` is the submission's id times `placesOfSubmission`, and the index of the record.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS chain (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  ledger TEXT NOT NULL,
  height INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS block (
  height INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  seal BLOB NOT NULL,
  candidate_signature TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS submission (
  id INTEGER PRIMARY KEY,
  height INTEGER NOT NULL,
  item INTEGER NOT NULL,
  department TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  records INTEGER NOT NULL,
  UNIQUE (department, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS record (
  oid BLOB PRIMARY KEY,
  place INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejection (
  oid BLOB NOT NULL,
  place INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (oid, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS rejection_place ON rejection (place);
CREATE TABLE IF NOT EXISTS cursor (
  department TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS gap (
  last INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS anchor (
  last INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  hash TEXT NOT NULL,
  tx_id TEXT NOT NULL
) STRICT;
`;

/** More than a submission has records. */
export const placesOfSubmission = 16_384;
