import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openPinStore } from '../../src/pins/open-pin-store.ts';
import type { AnchoredBatch, AnchoredBlock, PinStore } from '../../src/pins/pin-store.ts';

let folder: string;
let store: PinStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pins-'));
  store = openPinStore(join(folder, 'pins.db'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const batch = (position: number, own: boolean): AnchoredBatch => {
  const msp = own ? 'NorthMSP' : 'SouthMSP';
  return {
    position,
    evidenceId: `${msp}/depot/${String(position)}`,
    msp,
    cid: `cid-${String(position)}`,
    own,
    pinned: own,
  };
};
const receiptOf = (msp: string) => ({ msp, node: 'center', pinnedAtMs: 1, receipt: Buffer.from(msp) });

test('what the channel has is entered once, and the cursor stands behind it after a stop at any moment', () => {
  store.anchor([batch(1, true), batch(2, false)]);
  store.close();
  store = openPinStore(join(folder, 'pins.db'));
  expect(store.cursor()).toEqual({ position: 2, evidenceId: 'SouthMSP/depot/2' });
  store.rewind();
  store.anchor([batch(1, true), batch(2, false), batch(3, false)]);
  expect(store.waiting('SouthMSP', 0, 10).map(({ id }) => id)).toEqual([2, 3]);
  expect(store.counts(1)).toEqual({ anchored: 1, replicated: 0, waiting: 2 });
});

test('a batch that could not be pinned waits for its time, and is not in the way of the others', () => {
  store.anchor([batch(1, false), batch(2, false)]);
  store.postpone(1, 500);
  expect(store.waiting('SouthMSP', 100, 10).map(({ id }) => id)).toEqual([2]);
  expect(store.nextWaitingAtMs(100)).toBe(500);
  store.markPinned(2);
  expect(store.waitingOrganisations(100)).toEqual([]);
  expect(store.waiting('SouthMSP', 500, 10)).toMatchObject([{ id: 1, attempts: 1 }]);
});

test('replicated is what enough organisations hold: a copy that is lost does not count until it is there again', () => {
  store.anchor([batch(1, true)]);
  store.addReplica('cid-1', receiptOf('NorthMSP'));
  store.addReplica('cid-1', receiptOf('SouthMSP'));
  expect(store.counts(2)).toMatchObject({ anchored: 1, replicated: 1 });
  // What merely has few copies is not looked for: receipts are on their way.
  expect(store.missingAfter(0, 10)).toEqual([]);
  store.setReplicaState('cid-1', 'SouthMSP', 'lost');
  expect(store.counts(2)).toMatchObject({ replicated: 0 });
  expect(store.missingAfter(0, 10)).toMatchObject([{ cid: 'cid-1' }]);
  expect(store.missingAfter(1, 10)).toEqual([]);
  store.want(['cid-1'], ['SouthMSP', 'NorthMSP']);
  expect([store.wantedCount('SouthMSP'), store.wantedCount('NorthMSP')]).toEqual([1, 0]);
  store.addReplica('cid-1', receiptOf('SouthMSP'));
  expect([store.wantedCount('SouthMSP'), store.counts(2).replicated]).toEqual([0, 1]);
  store.retainReplicas('cid-1', ['NorthMSP']);
  expect(store.counts(2).replicated).toBe(0);
});

test('a receipt that came before the batch was on the channel counts once it is', () => {
  store.addReplica('cid-1', receiptOf('NorthMSP'));
  store.addReplica('cid-1', receiptOf('SouthMSP'));
  expect(store.receiptCount('cid-1')).toBe(2);
  store.anchor([batch(1, true)]);
  expect(store.counts(2).replicated).toBe(1);
});

test('a new member is asked for every batch on the channel, one that is gone for none', () => {
  store.anchor([batch(1, true), batch(2, false), batch(3, true)]);
  store.addReplica('cid-3', receiptOf('WestMSP'));
  store.wantFromMembers(['WestMSP']);
  expect(store.wanted('WestMSP', 0, 10)).toEqual([{ cid: 'cid-1', attempts: 0 }]);
  store.postponeWanted('WestMSP', 'cid-1', 700);
  expect([store.wanted('WestMSP', 0, 10), store.nextWantedAtMs('WestMSP', 0)]).toEqual([[], 700]);
  store.wantFromMembers([]);
  expect(store.wantedCount('WestMSP')).toBe(0);
  store.wantFromMembers(['WestMSP']);
  expect(store.wantedCount('WestMSP')).toBe(1);
});

test('what was kept for another before the channel had it is an offer, until the channel has it or its time is over', () => {
  store.keep('cid-1', Buffer.from('receipt'), { msp: 'SouthMSP', atMs: 10 });
  store.keep('cid-1', Buffer.from('another'), { msp: 'SouthMSP', atMs: 20 });
  store.keep('cid-2', Buffer.from('receipt'), { msp: 'SouthMSP', atMs: 20 });
  expect(Buffer.from(store.kept('cid-1') ?? []).toString()).toBe('receipt');
  expect([store.offers('SouthMSP'), store.offeredBy('cid-1')]).toEqual([2, 'SouthMSP']);
  store.anchor([batch(1, false)]);
  expect([store.offers('SouthMSP'), store.staleOffers(100, 10)]).toEqual([1, ['cid-2']]);
  store.withdraw('cid-2');
  expect([store.offers('SouthMSP'), store.kept('cid-2')]).toEqual([0, undefined]);
});

test("another organisation's evidence with the CID of an own batch hides nothing", () => {
  store.anchor([{ ...batch(1, false), cid: 'cid-2' }, batch(2, true)]);
  store.addReplica('cid-2', receiptOf('NorthMSP'));
  expect(store.anchored('cid-2')).toMatchObject({ own: true, id: 2 });
  expect(store.counts(1)).toMatchObject({ anchored: 1, replicated: 1 });
});

test('a batch that the channel refused is asked for no longer', () => {
  store.wantFromMembers(['SouthMSP']);
  store.want(['cid-9'], ['SouthMSP']);
  store.addReplica('cid-9', receiptOf('NorthMSP'));
  store.forget('cid-9');
  expect([store.wantedCount('SouthMSP'), store.receiptCount('cid-9')]).toEqual([0, 0]);
});

const block = (height: number, pinned = false): AnchoredBlock => ({
  height,
  hash: `hash-${String(height)}`,
  header: Uint8Array.of(height),
  cid: `body-${String(height)}`,
  pinned,
});

test('S5: blocks under anchors are units beside batches, each ledger with a cursor of its own', () => {
  store.anchor([batch(1, true)]);
  store.anchorBlocks('SouthMSP', false, [block(1), block(2)]);
  store.addReplica('body-1', receiptOf('NorthMSP'));
  store.anchorBlocks('NorthMSP', true, [block(1, true)]);
  expect([store.ledgerCursor('SouthMSP'), store.ledgerCursor('NorthMSP')]).toEqual([
    { height: 2, hash: 'hash-2' },
    { height: 1, hash: 'hash-1' },
  ]);
  expect([store.ledgerCursor('WestMSP'), store.ledgers()]).toEqual([{ height: 0, hash: '' }, ['NorthMSP', 'SouthMSP']]);
  expect(store.waiting('SouthMSP', 0, 10).map(({ place }) => place)).toEqual([
    { kind: 'block', height: 1, hash: 'hash-1' },
    { kind: 'block', height: 2, hash: 'hash-2' },
  ]);
  expect(store.counts(1)).toEqual({ anchored: 2, replicated: 1, waiting: 2 });
  const [, own] = store.ownAfter(0, 10);
  expect(own).toMatchObject({ cid: 'body-1', own: true });
  expect([store.header(own?.id ?? 0), store.header(1)]).toEqual([Uint8Array.of(1), undefined]);
  store.wantFromMembers(['SouthMSP']);
  expect(store.wanted('SouthMSP', 0, 10).map(({ cid }) => cid)).toEqual(['body-1', 'cid-1']);
});

test('a ledger that is read again from its first anchor keeps what it has; another block in a place takes the place', () => {
  store.keep('body-1', Buffer.from('receipt'), { msp: 'SouthMSP', atMs: 1 });
  store.anchorBlocks('SouthMSP', false, [block(1), block(2)]);
  expect(store.offers('SouthMSP')).toBe(0);
  for (const { id } of store.waiting('SouthMSP', 0, 10)) store.markPinned(id);
  store.rewindLedger('SouthMSP');
  expect(store.ledgerCursor('SouthMSP')).toEqual({ height: 0, hash: '' });
  store.anchorBlocks('SouthMSP', false, [block(1), { ...block(2), hash: 'other', cid: 'body-other' }]);
  expect(store.waiting('SouthMSP', 0, 10).map(({ cid }) => cid)).toEqual(['body-other']);
});

test('a file of version 1 is brought up to date: everything that was known of batches stays', () => {
  const path = join(folder, 'old.db');
  const old = new DatabaseSync(path);
  old.exec(versionOne);
  old.close();
  for (let opening = 0; opening < 2; opening += 1) {
    const migrated = openPinStore(path);
    try {
      expect(migrated.cursor()).toEqual({ position: 2, evidenceId: 'SouthMSP/depot/1' });
      expect(migrated.anchored('cid-1')).toEqual({
        id: 1,
        msp: 'NorthMSP',
        cid: 'cid-1',
        own: true,
        place: { kind: 'batch', evidenceId: 'NorthMSP/depot/1' },
      });
      expect(migrated.waiting('SouthMSP', 100, 10)).toMatchObject([{ id: 2, cid: 'cid-2', attempts: 3 }]);
      expect(migrated.counts(2)).toEqual({ anchored: 1, replicated: 1, waiting: 1 });
      expect(migrated.replicas('cid-1').map(({ msp }) => msp)).toEqual(['SouthMSP']);
      migrated.anchorBlocks('SouthMSP', false, [block(1)]);
      expect(migrated.anchored('body-1')?.id).toBe(3);
      migrated.markPinned(3);
    } finally {
      migrated.close();
    }
  }
  const later = new DatabaseSync(path);
  later.exec('PRAGMA user_version = 3');
  later.close();
  expect(() => openPinStore(path)).toThrow('later version');
});

/** As version 1 wrote it. */
const versionOne = `
CREATE TABLE cursor (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, evidence_id TEXT NOT NULL);
CREATE TABLE anchored (
  position INTEGER PRIMARY KEY, evidence_id TEXT NOT NULL UNIQUE, msp TEXT NOT NULL, cid TEXT NOT NULL, own INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'pinned')), attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL DEFAULT 0, replicas INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX anchored_cid ON anchored (cid);
CREATE INDEX anchored_waiting ON anchored (msp, due_at) WHERE state = 'waiting';
CREATE INDEX anchored_own ON anchored (replicas, position) WHERE own = 1;
CREATE TABLE replica (
  cid TEXT NOT NULL, msp TEXT NOT NULL, state TEXT NOT NULL, node TEXT NOT NULL, pinned_at INTEGER NOT NULL, receipt BLOB NOT NULL, PRIMARY KEY (cid, msp)
) WITHOUT ROWID;
INSERT INTO cursor VALUES (1, 2, 'SouthMSP/depot/1');
INSERT INTO anchored VALUES (1, 'NorthMSP/depot/1', 'NorthMSP', 'cid-1', 1, 'pinned', 0, 0, 2);
INSERT INTO anchored VALUES (2, 'SouthMSP/depot/1', 'SouthMSP', 'cid-2', 0, 'waiting', 3, 50, 0);
INSERT INTO replica VALUES ('cid-1', 'SouthMSP', 'held', 'center', 1, x'01');
PRAGMA user_version = 1;
`;
