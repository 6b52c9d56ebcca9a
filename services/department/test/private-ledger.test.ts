import { WaymarkError } from '@waymark/protocol';
import { type FakeCenter, fakeCenter } from './harness/fake-center.ts';
import { batchOf, hashOf, newBatch } from './harness/queued-batch.ts';
import { identities, type Identities, oidOf, type TestUploading, testUploading } from './harness/uploading.ts';

let firm: Identities;
let center: FakeCenter;
let uploading: TestUploading;

beforeAll(async () => {
  firm = await identities();
});
beforeEach(() => {
  center = ledgerCenter('center');
  uploading = testUploading(firm, center);
});
afterEach(() => uploading.close());

function ledgerCenter(name: string): FakeCenter {
  const made = fakeCenter(firm.center, () => Date.UTC(2026, 2, 1), name);
  made.hasLedger = true;
  return made;
}

const queue = (...names: string[]): number[] => names.map((name) => uploading.outbox.queue(newBatch(name)));
const names = (of: FakeCenter): readonly (string | undefined)[] =>
  of.held.flatMap(({ oids }) => oids.map((oid) => ['a', 'b', 'c', 'd', 'e'].find((name) => oidOf(name) === oid)));
const allAre = async (state: 'accepted' | 'confirmed' | 'anchored', count: number): Promise<void> =>
  uploading.until(() => uploading.outbox.counts()[state] === count);

describe('batches of a firm with a private ledger', () => {
  test('a batch is accepted, confirmed in its block, and anchored when the channel has the block', async () => {
    const anchors = new Map<number | undefined, string>();
    uploading.transactionOf = ({ height }) => anchors.get(height);
    const [first = 0, second = 0] = queue('a', 'b');
    uploading.uploader.start();
    await allAre('accepted', 2);
    expect(Buffer.from(uploading.outbox.ledgerReceipt(first) ?? []).toString()).toBe('center 1');
    center.confirm(1, 7);
    await allAre('confirmed', 1);
    expect(uploading.outbox.state(first)).toMatchObject({ state: 'confirmed', seq: 1, block: { height: 7 } });
    anchors.set(8, 'tx-8');
    center.confirm(2, 8);
    await allAre('anchored', 1);
    expect(uploading.outbox.state(second)).toMatchObject({ state: 'anchored', txId: 'tx-8', block: { height: 8 } });
    expect(uploading.outbox.confirmedIn(1, 7)).toMatchObject([{ id: first, height: 7 }]);
    expect(uploading.outbox.confirmedIn(8, 100)).toEqual([]);
    expect(Buffer.from(uploading.outbox.ledgerReceipt(second) ?? []).toString()).toBe('center 2');
  });

  test('a rejected record is free to be sent again; the rest of its batch goes on', async () => {
    const { outbox } = uploading;
    const id = outbox.queue(batchOf('a', 'b', 'c'));
    uploading.uploader.start();
    await allAre('accepted', 1);
    center.confirm(1, 3, { 1: 'schema' });
    await allAre('confirmed', 1);
    expect(outbox.state(id)).toMatchObject({ rejected: new Map([[1, 'schema']]) });
    expect(outbox.record(hashOf('oid a'))).toMatchObject({ batch: id, leaf: 0 });
    expect(outbox.record(hashOf('oid b'))).toBeUndefined();
    expect(outbox.findByToken(hashOf('token b'), 10)).toEqual([]);
    expect(outbox.findByToken(hashOf('token c'), 10)).toEqual([hashOf('oid c')]);
    expect(outbox.untoldRejection(hashOf('oid b'), hashOf('tag b'))).toEqual({ batch: id, leaf: 1 });
    expect(outbox.untoldRejection(hashOf('oid b'), hashOf('corrected'))).toBeUndefined();
    outbox.tellRejection({ batch: id, leaf: 1 });
    expect(outbox.untoldRejection(hashOf('oid b'), hashOf('tag b'))).toBeUndefined();
    const again = outbox.queue(newBatch('b'));
    center.held = center.held.map((held) => ({ ...held, oids: held.oids.filter((oid) => oid !== oidOf('b')) }));
    uploading.uploader.wake();
    await allAre('accepted', 1);
    expect(outbox.record(hashOf('oid b'))).toMatchObject({ batch: again });
    expect(names(center)).toEqual(['a', 'c', 'b']);
  });

  test.each([
    ['a record that the batch does not have', { 3: 'schema' }],
    ['a record without a reason', { 0: '' }],
    ['a record with a text for a reason', { 0: 'because\nof it' }],
  ])('a center that rejects %s is not believed', async (_what, rejected) => {
    uploading.outbox.queue(batchOf('a', 'b', 'c'));
    uploading.uploader.start();
    await allAre('accepted', 1);
    center.confirm(1, 3, rejected);
    await uploading.until(() => uploading.retries.length > 1);
    expect(uploading.retries[0]).toMatchObject({ code: 'input-invalid' });
    expect(uploading.outbox.counts()).toMatchObject({ accepted: 1, confirmed: 0 });
    center.confirm(1, 3);
    await allAre('confirmed', 1);
  });

  test('what was confirmed while the outlet was away is asked for with the same bytes; nothing is taken twice', async () => {
    queue('a', 'b', 'c');
    uploading.uploader.start();
    await allAre('accepted', 3);
    await uploading.uploader.stop();
    center.confirm(1, 1);
    center.confirm(2, 2, { 0: 'times' });
    await uploading.restart();
    await allAre('confirmed', 2);
    expect(uploading.outbox.record(hashOf('oid b'))).toBeUndefined();
    expect(names(center)).toEqual(['a', 'b', 'c']);
    const sent = center.arrived.map(({ seq, batchHash }) => `${String(seq)} ${batchHash}`);
    expect(new Set(sent).size).toBe(3);
    center.confirm(3, 3);
    await allAre('confirmed', 3);
  });

  test('without a private ledger nothing that was accepted is sent again', async () => {
    center.hasLedger = false;
    queue('a', 'b');
    uploading.uploader.start();
    await allAre('accepted', 2);
    await uploading.restart();
    queue('c');
    uploading.uploader.wake();
    await allAre('accepted', 3);
    expect(center.arrived.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('a stream on which nothing is heard while a batch waits is opened anew; one on which nothing waits is not', async () => {
    queue('a');
    uploading.silentMs = 5;
    await uploading.restart();
    await allAre('accepted', 1);
    const before = center.sessions;
    const quietUntilMs = performance.now() + 20;
    await uploading.until(() => performance.now() > quietUntilMs);
    expect(center.sessions).toBe(before);
    // It takes the batch, and its answer never comes.
    center.isSilent = true;
    queue('b');
    uploading.uploader.wake();
    await uploading.until(() => center.sessions > before);
    center.isSilent = false;
    await allAre('accepted', 2);
    expect(names(center)).toEqual(['a', 'b']);
  });

  test('what was accepted for a private ledger is not given up as a whole', async () => {
    const [id = 0] = queue('a');
    uploading.uploader.start();
    await allAre('accepted', 1);
    const [held] = center.held;
    if (held === undefined) throw new Error('nothing is held');
    const { answer } = held;
    held.answer = { ...answer, receipt: Buffer.alloc(0), failure: { code: 'recipient-mismatch', message: 'not mine' } };
    await uploading.restart();
    await uploading.until(() => uploading.retries.length > 1);
    expect(uploading.outbox.state(id)).toMatchObject({ state: 'accepted' });
    held.answer = answer;
    center.confirm(1, 1);
    await allAre('confirmed', 1);
  });
});

describe('a center that loses office', () => {
  /** The next center in office: it has of the batches what the ledger had confirmed by then. */
  function successorWith(count: number): FakeCenter {
    const next = ledgerCenter('center-2');
    next.held = center.held.slice(0, count).map((held) => ({ ...held }));
    return next;
  }

  test.each([false, true])(
    'what it had accepted and lost goes to its successor, once, in order (the outlet dies in between: %s)',
    async (dies) => {
      queue('a', 'b', 'c', 'd');
      uploading.uploader.start();
      await allAre('accepted', 4);
      center.confirm(1, 1);
      await allAre('confirmed', 1);
      const next = successorWith(1);
      if (dies) await uploading.uploader.stop();
      uploading.centers = next;
      center.leave('center-2');
      if (dies) await uploading.restart();
      queue('e');
      uploading.uploader.wake();
      await allAre('accepted', 4);
      expect(names(next)).toEqual(['a', 'b', 'c', 'd', 'e']);
      // The confirmed one, too, as it was: its envelopes may be gone with the center that took it in, and are needed until it is anchored.
      expect(next.arrived.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
      expect(next.arrived[0]?.batchHash).toBe(center.arrived[0]?.batchHash);
      for (const seq of [2, 3, 4, 5]) next.confirm(seq, seq);
      await allAre('confirmed', 5);
      expect(uploading.outbox.counts()).toMatchObject({ queued: 0, accepted: 0, refused: 0 });
      // Signed anew: what the first center signed for is of another batch, and its receipt is kept no longer.
      const hashes = (of: FakeCenter, seq: number): string[] =>
        of.arrived.filter((batch) => batch.seq === seq).map(({ batchHash }) => batchHash);
      expect(hashes(next, 2)).not.toEqual(hashes(center, 2));
      expect(Buffer.from(uploading.outbox.ledgerReceipt(2) ?? []).toString()).toBe('center-2 2');
    },
  );

  test('what was confirmed and lost all the same is judged anew: the id of a rejected record is taken again until then', async () => {
    const { outbox } = uploading;
    const id = outbox.queue(batchOf('a', 'b', 'c'));
    uploading.uploader.start();
    await allAre('accepted', 1);
    center.confirm(1, 1, { 0: 'schema', 1: 'times' });
    await allAre('confirmed', 1);
    const corrected = outbox.queue(newBatch('b'));
    const next = successorWith(0);
    next.before = () => {
      throw new Error('the connection breaks');
    };
    uploading.centers = next;
    center.leave();
    await uploading.until(() => outbox.counts().queued === 2);
    expect(outbox.record(hashOf('oid a'))).toMatchObject({ batch: id, leaf: 0 });
    expect(outbox.findByToken(hashOf('token a'), 10)).toEqual([hashOf('oid a')]);
    expect(outbox.record(hashOf('oid b'))).toMatchObject({ batch: corrected });
    expect(outbox.queuedAfter(0, 10).map(({ id: queued }) => queued)).toEqual([id, corrected]);
  });

  test('as long as none is in office the outlet waits, and keeps what it has', async () => {
    center.leave();
    queue('a');
    uploading.uploader.start();
    await uploading.until(() => uploading.retries.length > 3);
    expect(uploading.uploader.connected).toBe(false);
    uploading.centers = successorWith(0);
    await allAre('accepted', 1);
  });

  test('a center that stands still is left as soon as another one is in office', async () => {
    queue('a');
    uploading.uploader.start();
    await allAre('accepted', 1);
    // Its connection stays, and it says nothing any more.
    const next = successorWith(0);
    const silent = uploading.centers;
    uploading.centers = { count: 2, heard: () => undefined, inOffice: () => silent.inOffice() };
    await uploading.restart();
    await uploading.until(() => center.sessions === 2);
    const retries = uploading.retries.length;
    // While nobody is in office there is nowhere to go.
    let asked = 0;
    uploading.centers = {
      count: 2,
      heard: () => undefined,
      inOffice: () => Promise.reject(new WaymarkError('unavailable', `asked ${String((asked += 1))} times`)),
    };
    await uploading.until(() => asked === 3);
    expect([uploading.uploader.connected, center.sessions, uploading.retries.length]).toEqual([true, 2, retries]);
    uploading.centers = { count: 2, heard: () => undefined, inOffice: () => next.inOffice() };
    await uploading.until(() => names(next).length === 1);
    expect(uploading.retries).toContainEqual(expect.objectContaining({ code: 'unavailable' }));
  });
});
