import { newDisk, openOn } from './support/log.ts';
import { block, candidateStep, hardState, snapshot } from './support/steps.ts';

test.each([
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
  ['EROFS', 'read-only'],
  ['EIO', 'io-fault'],
])(
  'a write that fails with %s stops the log for good; opened again, it has what was acknowledged',
  async (code, reason) => {
    const disk = newDisk();
    const log = await openOn(disk);
    await log.persist(block(1));
    disk.fail('write', code);
    const failing = [log.persist([candidateStep(2)]), log.persist([hardState(1)])];
    for (const { status, ...outcome } of await Promise.allSettled(failing)) {
      expect({ status, ...outcome }).toMatchObject({
        status: 'rejected',
        reason: { code: 'unavailable', details: { reason } },
      });
    }
    disk.fail('write', undefined);
    await expect(log.persist([hardState(2)])).rejects.toMatchObject({ code: 'unavailable', details: { reason } });
    await expect(log.checkpoint([...block(1)])).rejects.toBeDefined();
    expect(log.stats().fault).toBe(reason);
    await log.close();
    const again = await openOn(disk);
    expect(again.restored.steps.slice(0, 2)).toEqual(block(1));
    await again.persist([hardState(3)]);
  },
);

test('after a sync that failed nothing is synced again by this log, and what it wrote counts only once the next opening has written it anew', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist(block(1));
  disk.fail('sync', 'EIO');
  await expect(log.persist([candidateStep(2)])).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'io-fault' },
  });
  disk.fail('sync', undefined);
  const operations = disk.operations();
  await expect(log.persist([hardState(2)])).rejects.toMatchObject({ code: 'unavailable' });
  await log.close();
  expect(disk.operations()).toBe(operations);

  // The system still shows the candidate. Whoever goes on with it has to bring it to the disk.
  const again = await openOn(disk);
  expect(again.restored.steps).toEqual([...block(1), candidateStep(2)]);
  const afterwards = await openOn(disk.afterPowerLoss(() => 0));
  expect(afterwards.restored.steps).toEqual([...block(1), candidateStep(2)]);
});

test('what waits behind a sync that failed is not written, even if the disk would take it by then', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  disk.fail('sync', 'EIO');
  const failing = log.persist(block(1)).catch(() => disk.fail('sync', undefined));
  // Too late for the group that is under way.
  await Promise.resolve();
  await Promise.resolve();
  const waiting = log.persist([hardState(1)]);
  await failing;
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable', details: { reason: 'io-fault' } });
});

test.each(['write', 'sync', 'open', 'syncFolder'] as const)(
  'a disk on which %s fails cannot be opened, and says why',
  async (operation) => {
    const disk = newDisk();
    await (await openOn(disk)).close();
    disk.fail(operation, 'EROFS');
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'unavailable', details: { reason: 'read-only' } });
  },
);

test('a log cannot be made on a disk that is full or read-only, and says why', async () => {
  const disk = newDisk();
  for (const [code, reason] of [
    ['ENOSPC', 'disk-full'],
    ['EROFS', 'read-only'],
  ] as const) {
    disk.fail('write', code);
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'unavailable', details: { reason } });
  }
  disk.fail('write', undefined);
  expect((await openOn(disk)).restored.isNew).toBe(true);
});

test('a checkpoint for which there is no room changes nothing, and the log goes on', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist(block(1));
  disk.fail('write', 'ENOSPC');
  await expect(log.checkpoint(block(1))).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'disk-full' },
  });
  disk.fail('write', undefined);
  expect(log.stats().fault).toBeNull();
  expect(disk.paths()).toHaveLength(1);
  await log.persist(block(2));
  await log.close();
  expect((await openOn(disk)).restored.steps).toEqual([...block(1), ...block(2)]);
});

test.each(['sync', 'rename', 'syncFolder', 'remove'] as const)(
  'a checkpoint at which %s fails stops the log; opened again, it has one state or the other',
  async (operation) => {
    const disk = newDisk();
    const log = await openOn(disk);
    const before = [...block(1), ...block(2), { type: 'compact', snapshot: snapshot(1) } as const];
    await log.persist(before);
    const checkpoint = [{ type: 'snapshot', snapshot: snapshot(1) } as const, ...block(2)];
    disk.fail(operation, 'EIO');
    await expect(log.checkpoint(checkpoint)).rejects.toMatchObject({ code: 'unavailable' });
    disk.fail(operation, undefined);
    await expect(log.persist(block(3))).rejects.toMatchObject({ code: 'unavailable' });
    const { restored } = await openOn(disk);
    expect([before, checkpoint]).toContainEqual(restored.steps);
  },
);
