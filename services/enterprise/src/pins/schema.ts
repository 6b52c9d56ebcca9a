/**
 * What the center knows of pins, one SQLite file. All of it can be had again: `anchored` from the replica, `kept` from the content store, `replica`
 * by asking. That is why a commit need not be synced before it counts (`synchronous = NORMAL`): a power cut takes the last
 * of it, and it is done once more.
 */
export const pinSchema = `
CREATE TABLE IF NOT EXISTS cursor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL,
  evidence_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS anchored (
  position INTEGER PRIMARY KEY,
  evidence_id TEXT NOT NULL UNIQUE,
  msp TEXT NOT NULL,
  cid TEXT NOT NULL,
  own INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'pinned')),
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL DEFAULT 0,
  replicas INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS anchored_cid ON anchored (cid);
CREATE INDEX IF NOT EXISTS anchored_waiting ON anchored (msp, due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS anchored_own ON anchored (replicas, position) WHERE own = 1;
CREATE TABLE IF NOT EXISTS kept (
  cid TEXT PRIMARY KEY,
  receipt BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offer (
  cid TEXT PRIMARY KEY,
  msp TEXT NOT NULL,
  offered_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS offer_age ON offer (offered_at);
CREATE INDEX IF NOT EXISTS offer_msp ON offer (msp);
CREATE TABLE IF NOT EXISTS replica (
  cid TEXT NOT NULL,
  msp TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('held', 'away', 'lost')),
  node TEXT NOT NULL,
  pinned_at INTEGER NOT NULL,
  receipt BLOB NOT NULL,
  PRIMARY KEY (cid, msp)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wanted (
  msp TEXT NOT NULL,
  cid TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (msp, cid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS wanted_due ON wanted (msp, due_at);
CREATE TABLE IF NOT EXISTS asked_member (
  msp TEXT PRIMARY KEY
) WITHOUT ROWID;
PRAGMA user_version = 1;
`;
