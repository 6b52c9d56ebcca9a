import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnchoredBatch, openPinStore, type PinStore } from '../../src/pins/pin-store.ts';

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

const batch = (position: number, own: boolean): AnchoredBatch & { pinned: boolean } => {
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
  expect(store.waiting('SouthMSP', 0, 10).map(({ position }) => position)).toEqual([2, 3]);
  expect(store.counts(1)).toEqual({ anchored: 1, replicated: 0, waiting: 2 });
});

test('a batch that could not be pinned waits for its time, and is not in the way of the others', () => {
  store.anchor([batch(1, false), batch(2, false)]);
  store.postpone(1, 500);
  expect(store.waiting('SouthMSP', 100, 10).map(({ position }) => position)).toEqual([2]);
  expect(store.nextWaitingAtMs(100)).toBe(500);
  store.markPinned(2);
  expect(store.waitingOrganisations(100)).toEqual([]);
  expect(store.waiting('SouthMSP', 500, 10)).toMatchObject([{ position: 1, attempts: 1 }]);
});

test('replicated is what enough organisations hold: a copy that is lost does not count until it is there again', () => {
  store.anchor([batch(1, true)]);
  store.addReplica('cid-1', receiptOf('NorthMSP'));
  store.addReplica('cid-1', receiptOf('SouthMSP'));
  expect(store.counts(2)).toMatchObject({ anchored: 1, replicated: 1 });
  store.setReplicaState('cid-1', 'SouthMSP', 'lost');
  expect(store.counts(2)).toMatchObject({ replicated: 0 });
  expect(store.lackingAfter(2, 0, 10)).toHaveLength(1);
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
  expect(store.anchored('cid-2')).toMatchObject({ own: true, position: 2 });
  expect(store.counts(1)).toMatchObject({ anchored: 1, replicated: 1 });
});

test('a batch that the channel refused is asked for no longer', () => {
  store.wantFromMembers(['SouthMSP']);
  store.want(['cid-9'], ['SouthMSP']);
  store.addReplica('cid-9', receiptOf('NorthMSP'));
  store.forget('cid-9');
  expect([store.wantedCount('SouthMSP'), store.receiptCount('cid-9')]).toEqual([0, 0]);
});
