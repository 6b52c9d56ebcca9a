import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedgerLog } from '@waymark/ledger-log';
import type { PersistStep, SealedBlock } from '@waymark/rsl';
import { newDisk, openOn } from './support/log.ts';
import { block, candidate, candidateStep, everyKind, hardState, seal, sealStep, snapshot } from './support/steps.ts';

async function all(blocks: AsyncIterable<SealedBlock>): Promise<SealedBlock[]> {
  const read: SealedBlock[] = [];
  for await (const each of blocks) read.push(each);
  return read;
}

const blockAt = (height: number): SealedBlock => ({ candidate: candidate(height), seal: seal(height) });

test('what was persisted is there, in order, when the log is opened again', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  expect(log.restored).toEqual({ steps: [], isNew: true, tornTail: null });
  for (const step of everyKind) await log.persist([step]);
  await log.close();
  const again = await openOn(disk, { create: false });
  expect(again.restored).toEqual({ steps: everyKind, isNew: false, tornTail: null });
});

test('segments are closed at their size, and the log goes on in the next', async () => {
  const disk = newDisk();
  const log = await openOn(disk, { maxSegmentSizeBytes: 4_000 });
  const steps = Array.from({ length: 12 }, (_none, index) => block(index + 1)).flat();
  for (const step of steps) await log.persist([step]);
  expect(log.stats().segments).toBeGreaterThan(3);
  await log.close();
  const again = await openOn(disk, { maxSegmentSizeBytes: 4_000 });
  expect(again.restored.steps).toEqual(steps);
  expect(await all(again.read(1, 12))).toEqual(Array.from({ length: 12 }, (_none, index) => blockAt(index + 1)));
});

test('calls that wait share one sync, and are answered in their order', async () => {
  const log = await openOn(newDisk());
  const { groups } = log.stats();
  const order: number[] = [];
  const calls = Array.from({ length: 50 }, async (_none, index) => {
    await log.persist(block(index + 1));
    order.push(index);
  });
  await Promise.all(calls);
  expect(order).toEqual(calls.map((_none, index) => index));
  expect(log.stats().groups - groups).toBeLessThanOrEqual(2);
  expect(log.stats().steps).toBe(100);
});

test('a step is taken as it is at the call', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  const step = structuredClone(candidateStep(1));
  const durable = log.persist([step]);
  Object.assign(step, { type: 'truncate' });
  await durable;
  await log.close();
  expect((await openOn(disk)).restored.steps).toEqual([candidateStep(1)]);
});

test('sealed blocks are read by height; what a losing candidate held is replaced', async () => {
  const log = await openOn(newDisk());
  await log.persist([...block(1), ...block(2), candidateStep(3)]);
  await log.persist([{ type: 'truncate', height: 2 }, hardState(2), ...block(2, 2), candidateStep(3, 2)]);
  expect(await all(log.read(1, 2))).toEqual([blockAt(1), { candidate: candidate(2, 2), seal: seal(2, 2) }]);
  expect(log.stats()).toMatchObject({ firstHeight: 1, lastHeight: 2 });
  await expect(all(log.read(3, 3))).rejects.toMatchObject({ code: 'input-invalid' });
  await expect(all(log.read(0, 1))).rejects.toMatchObject({ code: 'input-invalid' });
});

test('a checkpoint stands for everything before it, and the segments before it are gone', async () => {
  const disk = newDisk();
  const log = await openOn(disk, { maxSegmentSizeBytes: 3_000 });
  for (let height = 1; height <= 8; height += 1) await log.persist(block(height));
  await log.persist([hardState(1), { type: 'compact', snapshot: snapshot(5) }]);
  expect(await all(log.read(2, 8))).toHaveLength(7);
  const before = log.stats();
  const steps: PersistStep[] = [
    { type: 'snapshot', snapshot: snapshot(5) },
    ...[6, 7, 8].flatMap((height) => block(height)),
    hardState(1),
  ];
  await log.checkpoint(steps);
  expect(log.stats().segments).toBe(1);
  expect(log.stats().sizeBytes).toBeLessThan(before.sizeBytes);
  expect(await all(log.read(6, 8))).toEqual([6, 7, 8].map(blockAt));
  await expect(all(log.read(5, 8))).rejects.toMatchObject({ code: 'gone', details: { firstHeight: 6 } });
  await log.persist(block(9));
  await log.close();
  const again = await openOn(disk);
  expect(again.restored.steps).toEqual([...steps, ...block(9)]);
  expect(await all(again.read(6, 9))).toHaveLength(4);
});

test('a reader that was under way when a checkpoint came goes on', async () => {
  const log = await openOn(newDisk(), { maxSegmentSizeBytes: 2_000 });
  for (let height = 1; height <= 6; height += 1) await log.persist(block(height));
  const reading = log.read(1, 6)[Symbol.asyncIterator]();
  await reading.next();
  await log.checkpoint([1, 2, 3, 4, 5, 6].flatMap((height) => block(height)));
  expect((await reading.next()).value).toEqual(blockAt(2));
});

test.each<[string, readonly PersistStep[]]>([
  ['another vote', [...block(1), candidateStep(2), hardState(3, 'dock')]],
  ['another term', [...block(1), candidateStep(2), hardState(2)]],
  ['an entry less', [...block(1), hardState(3)]],
  ['a seal more', [...block(1), ...block(2), hardState(3)]],
])('a checkpoint with %s is refused, and nothing changes', async (_what, steps) => {
  const disk = newDisk();
  const log = await openOn(disk);
  const kept = [hardState(3), ...block(1), candidateStep(2)];
  await log.persist(kept);
  await expect(log.checkpoint(steps)).rejects.toMatchObject({ code: 'internal' });
  await log.close();
  expect((await openOn(disk)).restored.steps).toEqual(kept);
});

test.each<[string, readonly PersistStep[]]>([
  ['a candidate above a gap', [candidateStep(2)]],
  ['a candidate on one that is not sealed', [candidateStep(1), candidateStep(2)]],
  ['a seal without a candidate', [...block(1), sealStep(1)]],
  ['a term that goes back', [hardState(2), hardState(1)]],
  [
    'a cut below the snapshot',
    [
      { type: 'snapshot', snapshot: snapshot(4) },
      { type: 'truncate', height: 4 },
    ],
  ],
])('%s is refused, and nothing is written', async (_what, steps) => {
  const disk = newDisk();
  const log = await openOn(disk);
  await expect(log.persist(steps)).rejects.toMatchObject({ code: 'internal' });
  await log.persist(block(1));
  await log.close();
  expect((await openOn(disk)).restored.steps).toEqual(block(1));
});

test('beyond its size the log takes nothing, until a checkpoint makes room', async () => {
  const log = await openOn(newDisk(), { maxSizeBytes: 12_000, checkpointAfterBytes: 4_000 });
  expect(log.stats()).toMatchObject({ isNearlyFull: false, isCheckpointDue: false });
  let height = 0;
  const fill = async (): Promise<void> => {
    for (;;) {
      await log.persist([...block(height + 1), { type: 'compact', snapshot: snapshot(height + 1) }]);
      height += 1;
    }
  };
  await expect(fill()).rejects.toMatchObject({
    code: 'limit-exceeded',
    details: { limit: 'log-size', maxBytes: 12_000 },
  });
  expect(log.stats()).toMatchObject({ isNearlyFull: true, isCheckpointDue: true, fault: null });
  await log.checkpoint([{ type: 'snapshot', snapshot: snapshot(height) }]);
  expect(log.stats()).toMatchObject({ isNearlyFull: false, isCheckpointDue: false });
  await log.persist(block(height + 1));
});

test('more than may wait is refused, and taken when there is room again', async () => {
  const log = await openOn(newDisk(), { maxQueuedBytes: 5_000 });
  const calls = Array.from({ length: 8 }, (_none, index) => log.persist([hardState(index + 1), candidateStep(1)]));
  const outcomes = await Promise.allSettled(calls);
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({ reason: { code: 'limit-exceeded', details: { limit: 'queue' } } });
  expect(log.stats().queuedBytes).toBe(0);
  await log.persist([candidateStep(1)]);
});

test('a disk where no log is any more is refused, unless one may be made', async () => {
  await expect(openOn(newDisk(), { create: false })).rejects.toMatchObject({
    code: 'data-abnormal',
    details: { reason: 'no-log' },
  });
});

test('an old copy, a copy that went its own way, and a new log are told from the one that others remember', async () => {
  const disk = newDisk();
  const first = await openOn(disk);
  await first.persist(block(1));
  const early = first.position();
  await first.close();
  const copy = disk.copy();
  const second = await openOn(disk);
  expect(second.standingOf(early)).toBe('held');
  await second.persist(block(2));
  const late = second.position();
  expect(second.standingOf(late)).toBe('held');
  expect(second.standingOf({ ...late, seq: late.seq + 1 })).toBe('lost');
  await second.close();

  const restored = await openOn(copy);
  expect(restored.standingOf(early)).toBe('held');
  expect(restored.standingOf(late)).toBe('lost');
  // It has as many openings and more steps by now, but not those.
  for (let height = 2; height <= 6; height += 1) await restored.persist(block(height));
  expect(restored.position().seq).toBeGreaterThan(late.seq);
  expect(restored.standingOf(late)).toBe('lost');
  expect((await openOn(newDisk())).standingOf(late)).toBe('another-log');

  // A checkpoint keeps the history.
  const third = await openOn(disk);
  await third.checkpoint([...block(1), ...block(2)]);
  await third.close();
  expect((await openOn(disk)).standingOf(late)).toBe('held');
});

test('on a real disk: one writer at a time, files and folders for the owner only', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'waymark-ledger-log-')), 'firm/ledger');
  const log = await openLedgerLog({ folder, create: true });
  await log.persist(everyKind);
  await expect(openLedgerLog({ folder, create: false })).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'locked' },
  });
  const segments = join(folder, 'segments');
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect([await mode(folder), await mode(segments)]).toEqual(['700', '700']);
  for (const name of await readdir(segments)) expect(await mode(join(segments, name))).toBe('600');
  await log.checkpoint([{ type: 'snapshot', snapshot: snapshot(9) }, candidateStep(10), hardState(1, null)]);
  await log.close();
  await expect(log.persist([hardState(9)])).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'closed' },
  });
  const again = await openLedgerLog({ folder, create: false });
  expect(again.restored.steps).toHaveLength(3);
  await again.close();
  await rm(folder, { recursive: true });
});
