import type { DatabaseSync } from 'node:sqlite';
import { WaymarkError } from '@waymark/protocol';

/**
 * What the center knows of pins, one SQLite file. All of it can be had again: `unit` from the replica, `kept` from the content store, `replica`
 * by asking. That is why a commit need not be synced before it counts (`synchronous = NORMAL`): a power cut takes the last
 * of it, and it is done once more. A `unit` is a batch (`place`: its evidence id, `position` in the order of the channel) or a block of a private ledger (`place`: its hash, `position`:
 * its height).
 */
const pinSchema = `
CREATE TABLE IF NOT EXISTS cursor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL,
  evidence_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ledger_cursor (
  msp TEXT PRIMARY KEY,
  height INTEGER NOT NULL,
  hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unit (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('batch', 'block')),
  msp TEXT NOT NULL,
  place TEXT NOT NULL,
  position INTEGER NOT NULL,
  cid TEXT NOT NULL,
  header BLOB,
  own INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'pinned')),
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL DEFAULT 0,
  replicas INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS unit_batch_position ON unit (position) WHERE kind = 'batch';
CREATE UNIQUE INDEX IF NOT EXISTS unit_batch ON unit (place) WHERE kind = 'batch';
CREATE UNIQUE INDEX IF NOT EXISTS unit_block ON unit (msp, position) WHERE kind = 'block';
CREATE INDEX IF NOT EXISTS unit_cid ON unit (cid);
CREATE INDEX IF NOT EXISTS unit_waiting ON unit (msp, due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS unit_own ON unit (replicas, id) WHERE own = 1;
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
CREATE INDEX IF NOT EXISTS replica_missing ON replica (cid) WHERE state <> 'held';
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
PRAGMA user_version = 2;
`;

/**
 * Makes a new file, or brings one of version 1, which knew no blocks of private ledgers, up to date.
 * @throws WaymarkError unsupported: a later version wrote it
 */
export function preparePinStore(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > 2)
    throw new WaymarkError('unsupported', 'A later version wrote what is known of pins.', { details: { version } });
  if (version !== 1) {
    database.exec(pinSchema);
    return;
  }
  database.exec(`
BEGIN IMMEDIATE;
${pinSchema}
INSERT INTO unit SELECT position, 'batch', msp, evidence_id, position, cid, NULL, own, state, attempts, due_at, replicas FROM anchored;
DROP TABLE anchored;
COMMIT;`);
}
