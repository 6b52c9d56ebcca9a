import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { encodeBody } from '../src/outbox/batch-body.ts';
import { openOutbox } from '../src/outbox/outbox.ts';
import { hashOf, newBatch } from './harness/queued-batch.ts';

/** The file as it was before batches were confirmed. */
const version1 = `
CREATE TABLE consignment (token BLOB PRIMARY KEY, oid BLOB NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE consignment_key (consignment BLOB NOT NULL, epoch INTEGER NOT NULL, wrapped BLOB NOT NULL, PRIMARY KEY (consignment, epoch)) WITHOUT ROWID;
CREATE TABLE batch (
  id INTEGER PRIMARY KEY,
  seq INTEGER UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('queued', 'accepted', 'anchored', 'refused')),
  count INTEGER NOT NULL,
  body BLOB, statement BLOB, signature BLOB, batch_hash BLOB, receipt BLOB, tx_id TEXT, refusal TEXT
);
CREATE INDEX batch_queued ON batch (seq) WHERE state = 'queued';
CREATE TABLE record (oid BLOB PRIMARY KEY, content_tag BLOB NOT NULL, batch INTEGER NOT NULL, leaf INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX record_batch ON record (batch);
CREATE TABLE token (token BLOB NOT NULL, batch INTEGER NOT NULL, leaf INTEGER NOT NULL, oid BLOB NOT NULL, PRIMARY KEY (token, batch, leaf)) WITHOUT ROWID;
CREATE TABLE position (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, batch_hash BLOB NOT NULL);
CREATE TABLE allow_list (consignment BLOB PRIMARY KEY, seq INTEGER NOT NULL, signed BLOB NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
`;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outbox-'));
  path = join(folder, 'outbox.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

function versionOf(file: string): unknown {
  const db = new DatabaseSync(file);
  const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
  db.close();
  return version;
}

function writeVersion1(): void {
  const db = new DatabaseSync(path);
  db.exec(version1);
  const insert = db.prepare(
    'INSERT INTO batch (id, seq, state, count, body, batch_hash, receipt, tx_id, refusal) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)',
  );
  const [b, c] = ['b', 'c'].map((name) => encodeBody(newBatch(name).body));
  insert.run(1, 1, 'anchored', null, hashOf('h1'), Buffer.from('r1'), 'tx-1', null);
  insert.run(2, 2, 'accepted', b ?? null, hashOf('h2'), Buffer.from('r2'), null, null);
  insert.run(3, 3, 'queued', c ?? null, null, null, null, null);
  insert.run(4, null, 'refused', null, null, null, null, JSON.stringify({ code: 'conflict', message: 'no' }));
  const record = db.prepare('INSERT INTO record (oid, content_tag, batch, leaf) VALUES (?, ?, ?, 0)');
  ['a', 'b', 'c'].forEach((name, index) => record.run(hashOf(`oid ${name}`), hashOf(`tag ${name}`), index + 1));
  db.prepare('INSERT INTO position (id, seq, batch_hash) VALUES (1, 2, ?)').run(hashOf('h2'));
  db.close();
}

test('an outbox of the version before opens with all that it held, and goes on', () => {
  writeVersion1();
  for (let times = 0; times < 2; times += 1) {
    const outbox = openOutbox(path);
    expect(outbox.counts()).toEqual({ queued: 1, accepted: 1, confirmed: 0, anchored: 1, refused: 1 });
    expect(outbox.state(1)).toMatchObject({ state: 'anchored', seq: 1, txId: 'tx-1', block: undefined });
    expect(outbox.state(4)).toMatchObject({ state: 'refused', code: 'conflict' });
    expect(outbox.acceptedBySeq(2)).toMatchObject({ id: 2, receipt: Buffer.from('r2') });
    expect(outbox.queuedAfter(0, 10)).toMatchObject([{ id: 3, seq: 3, stamp: undefined }]);
    expect(outbox.queuedAfter(0, 1)[0]?.body.records[0]?.recordOid).toEqual(hashOf('oid c'));
    expect(outbox.withoutBlockAfter(0, 10)).toEqual([]);
    expect(outbox.position()).toEqual({ seq: 2, batchHash: hashOf('h2') });
    outbox.close();
    expect(versionOf(path)).toBe(2);
  }
  const outbox = openOutbox(path);
  expect(outbox.queue(newBatch('d'))).toBe(5);
  outbox.markConfirmed(2, { receipt: Buffer.from('c'), height: 4, blockHash: 'cid', rejected: new Map() });
  expect(outbox.state(2)).toMatchObject({ state: 'confirmed', block: { height: 4, blockHash: 'cid' } });
  outbox.close();
});

test('an outbox that a later version wrote is refused, and left as it is', () => {
  openOutbox(path).close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 3');
  db.close();
  expect(() => openOutbox(path)).toThrow(expect.objectContaining({ code: 'unsupported' }) as Error);
  expect(versionOf(path)).toBe(3);
});

test('a file that cannot be brought over is left as it was', () => {
  writeVersion1();
  const db = new DatabaseSync(path);
  // A column less than every outbox of that version had.
  db.exec('ALTER TABLE batch DROP COLUMN refusal');
  db.close();
  expect(() => openOutbox(path)).toThrow();
  expect(versionOf(path)).toBe(1);
});
