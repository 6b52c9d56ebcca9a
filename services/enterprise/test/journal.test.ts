import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ConfirmedBatch, openJournal } from '../src/journal/journal.ts';
import { acceptedBatch, hashOf } from './harness/accepted-batch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const path = (): string => join(folder, 'journal.db');

const confirmed = (
  seq: number,
  height: number,
  rejected: ConfirmedBatch['place']['rejected'] = [],
): ConfirmedBatch => ({
  ...acceptedBatch('depot', seq),
  place: { height, blockHash: `block-${String(height)}`, rejected },
});

test('batches of confirmed blocks are taken in once, with their place, and wait for the channel', () => {
  const journal = openJournal(path());
  journal.project([confirmed(1, 3), confirmed(2, 3)], 3);
  journal.project([confirmed(2, 3), confirmed(3, 4)], 5);
  expect(journal.projectedHeight()).toBe(5);
  expect(journal.counts()).toEqual({ accepted: 0, confirmed: 3, anchored: 0, refused: 0 });
  expect(journal.batch('depot', 3)).toMatchObject({ state: 'confirmed', place: { height: 4, blockHash: 'block-4' } });
  expect(journal.position('depot')?.seq).toBe(3);
  expect(journal.pendingCount()).toBe(3);
  journal.close();
  expect(openJournal(path()).pendingCount()).toBe(3);
});

test('a rejected record is not in the index, and its oid may come again', () => {
  const journal = openJournal(path());
  const first = confirmed(1, 1, [{ index: 0, reason: 'time-in-future' }]);
  journal.project([first], 1);
  const [record] = first.records;
  expect(journal.findByOid(record?.oid ?? new Uint8Array(0))).toBeUndefined();
  expect(journal.batch('depot', 1)?.place?.rejected).toEqual([{ index: 0, reason: 'time-in-future' }]);
  journal.project([{ ...confirmed(2, 2), records: first.records }], 2);
  expect(journal.findByOid(record?.oid ?? new Uint8Array(0))).toMatchObject({ seq: 2, leafIndex: 0 });
});

test('anchoring a range of blocks marks what they hold, once', () => {
  const journal = openJournal(path());
  journal.project([confirmed(1, 1), confirmed(2, 2), confirmed(3, 3)], 3);
  expect(journal.markAnchoredBlocks(1, 2, 'tx')).toEqual([
    { outlet: 'depot', seq: 1 },
    { outlet: 'depot', seq: 2 },
  ]);
  expect(journal.markAnchoredBlocks(1, 2, 'tx')).toEqual([]);
  expect(journal.pendingCount()).toBe(1);
  expect(journal.batch('depot', 2)).toMatchObject({ state: 'anchored', txId: 'tx' });
});

test('a receipt is kept for the state in which it was given', () => {
  const journal = openJournal(path());
  journal.project([confirmed(1, 1)], 1);
  expect(journal.batch('depot', 1)?.receipt).toBeUndefined();
  journal.keepReceipt('depot', 1, hashOf('confirmed'));
  journal.markAnchoredBlocks(1, 1, 'tx');
  journal.keepReceipt('depot', 1, hashOf('anchored'));
  const batch = journal.batch('depot', 1);
  expect(Buffer.from(batch?.receipt ?? []).equals(hashOf('confirmed'))).toBe(true);
  expect(Buffer.from(batch?.anchoredReceipt ?? []).equals(hashOf('anchored'))).toBe(true);
});

test('a journal of version 1 is brought up to date with everything in it; one of a later version is refused', () => {
  const old = new DatabaseSync(path());
  old.exec(`
CREATE TABLE batch (outlet TEXT NOT NULL, seq INTEGER NOT NULL, batch_hash BLOB NOT NULL, cid TEXT NOT NULL, count INTEGER NOT NULL, evidence TEXT NOT NULL,
  message_id BLOB NOT NULL, receipt BLOB NOT NULL, state TEXT NOT NULL CHECK (state IN ('accepted', 'anchored', 'refused')), tx_id TEXT, anchored_receipt BLOB,
  refusal TEXT, accepted_at INTEGER NOT NULL, turn INTEGER NOT NULL, PRIMARY KEY (outlet, seq)) WITHOUT ROWID;
CREATE INDEX batch_pending ON batch (turn) WHERE state = 'accepted';
INSERT INTO batch VALUES ('depot', 1, x'01', 'cid', 1, '{}', x'02', x'03', 'anchored', 'tx', x'04', NULL, 5, 5);
INSERT INTO batch VALUES ('depot', 2, x'01', 'cid', 1, '{}', x'02', x'03', 'accepted', NULL, NULL, NULL, 6, 6);
PRAGMA user_version = 1;`);
  old.close();
  const journal = openJournal(path());
  expect(journal.counts()).toEqual({ accepted: 1, confirmed: 0, anchored: 1, refused: 0 });
  journal.project([confirmed(3, 1)], 1);
  expect(journal.pending(10).map(({ seq }) => seq)).toEqual([2]);
  journal.close();
  const later = new DatabaseSync(path());
  later.exec('PRAGMA user_version = 3;');
  later.close();
  expect(() => openJournal(path())).toThrow('A later version wrote the journal.');
});
