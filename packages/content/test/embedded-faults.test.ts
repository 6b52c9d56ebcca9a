import { type EmbeddedContentStore, openEmbeddedStore } from '@waymark/content';
import { expectCode, sampleBlock, sampleBlocks } from '@waymark/testing/content-compliance';
import { FaultyFileSystem } from './harness/faulty-file-system.ts';
import { newFolder, removeFolders } from './harness/folders.ts';
import { segmentPaths } from './harness/segments-on-disk.ts';

const kept = sampleBlocks('kept', 10);
let folder: string;
let files: FaultyFileSystem;
let store: EmbeddedContentStore;

beforeEach(async () => {
  folder = await newFolder();
  files = new FaultyFileSystem();
  store = await openEmbeddedStore({ folder, fileSystem: files });
  await store.putMany(kept);
});

afterEach(async () => {
  await store.close();
  await removeFolders();
});

async function expectKept(extra = kept): Promise<void> {
  for (const { cid, bytes } of [...kept, ...extra]) expect(Buffer.compare(await store.get(cid), bytes)).toBe(0);
}

test('concurrent callers share syncs', async () => {
  const before = files.syncs;
  const blocks = sampleBlocks('shared', 300);
  await Promise.all(blocks.map((block) => store.putMany([block])));
  expect(files.syncs - before).toBeLessThan(10);
  await expectKept(blocks);
});

test('a full disk is unavailable with its reason, acknowledges nothing, and leaves reads working', async () => {
  files.writeFault = 'ENOSPC';
  const lost = sampleBlock('no room');
  await expect(store.putMany([lost])).rejects.toMatchObject({ code: 'unavailable', details: { reason: 'disk-full' } });
  expect(await store.has(lost.cid)).toBe(false);
  await expectKept();
  files.writeFault = undefined;
  await store.putMany([lost]);
  await expectKept([lost]);
  expect(await segmentPaths(folder)).toHaveLength(1);
});

test('a write that cannot even be taken back retires the segment', async () => {
  files.writeFault = 'EIO';
  files.truncateFault = 'EIO';
  await expect(store.putMany([sampleBlock('lost')])).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'io-fault' },
  });
  files.writeFault = undefined;
  files.truncateFault = undefined;
  await store.putMany([sampleBlock('next')]);
  expect(await segmentPaths(folder)).toHaveLength(2);
  await expectKept([sampleBlock('next')]);
  await store.close();
  store = await openEmbeddedStore({ folder, rebuildIndex: true });
  expect(store.openReport.damage).toMatchObject([{ segment: 1 }]);
  await expectKept([sampleBlock('next')]);
});

test('after a failed sync the segment is never written to again', async () => {
  files.syncFault = 'EIO';
  const unsure = sampleBlock('not synced');
  await expectCode(store.putMany([unsure]), 'unavailable');
  expect(await store.has(unsure.cid)).toBe(false);
  await expectKept();
  files.syncFault = undefined;
  await store.putMany([unsure]);
  expect(await segmentPaths(folder)).toHaveLength(2);
  await expectKept([unsure]);
  await store.close();
  store = await openEmbeddedStore({ folder });
  await expectKept([unsure]);
});

test('repeated sync faults pile up no segments', async () => {
  files.syncFault = 'EIO';
  for (let attempt = 0; attempt < 5; attempt++)
    await expectCode(store.putMany([sampleBlock(`attempt ${attempt}`)]), 'unavailable');
  files.syncFault = undefined;
  await store.putMany([sampleBlock('at last')]);
  expect((await segmentPaths(folder)).length).toBeLessThanOrEqual(2);
  await store.close();
  store = await openEmbeddedStore({ folder, rebuildIndex: true });
  await expectKept([sampleBlock('at last')]);
});

test('every caller of a failed group is told', async () => {
  files.syncFault = 'EIO';
  const results = await Promise.allSettled(sampleBlocks('group', 20).map((block) => store.putMany([block])));
  expect(results.filter((result) => result.status === 'rejected')).toHaveLength(20);
});

test('a pin that cannot be synced is not acknowledged', async () => {
  const [{ cid } = sampleBlock('')] = kept;
  files.syncFault = 'EIO';
  await expectCode(store.pin(cid), 'unavailable');
  expect(await store.isPinned(cid)).toBe(false);
  files.syncFault = undefined;
  await expectCode(store.pin(cid), 'unavailable'); // until it was opened again: the log's end is unknown
  await store.close();
  store = await openEmbeddedStore({ folder });
  await store.pin(cid);
  expect(await store.isPinned(cid)).toBe(true);
});
