import { everyFlip, everyTear } from './support/flips.ts';
import { newDisk, openOn, segmentPath } from './support/log.ts';
import { block, candidateStep, hardState } from './support/steps.ts';

test('a tail torn at any octet is cut and reported, back to the last whole record that nothing proves to have been durable', async () => {
  const seen = await everyTear([hardState(1)], [hardState(2), { type: 'confirmed', height: 1 }, hardState(3)]);
  expect(seen).toEqual([1, 2, 3]);
});

test('the last group of a log that was closed, or idle for a moment, is proven by the mark behind it: without its end the log is refused', async () => {
  const disk = newDisk();
  const log = await openOn(disk, { markAfterMs: 1 });
  await log.persist(block(1));
  const size = disk.bytesOf(segmentPath(1)).length;
  while (disk.bytesOf(segmentPath(1)).length === size) await new Promise((resolve) => setTimeout(resolve, 1));
  const idle = disk.copy();
  const closed = disk.copy();
  await log.close();
  closed.replace(segmentPath(1), disk.bytesOf(segmentPath(1)));
  for (const marked of [idle, closed]) {
    const bytes = marked.bytesOf(segmentPath(1));
    bytes.writeUInt8(bytes.readUInt8(size - 1) ^ 1, size - 1);
    await expect(openOn(marked)).rejects.toMatchObject({ code: 'data-abnormal', details: { reason: 'damage' } });
  }
});

test('a log that ends before what it proves to have been durable is refused', async () => {
  const disk = newDisk();
  const log = await openOn(disk, { maxSegmentSizeBytes: 1_500 });
  const offset = disk.bytesOf(segmentPath(1)).length;
  for (let height = 1; height <= 3; height += 1) await log.persist(block(height));
  const short = disk.copy();
  short.replace(segmentPath(1), disk.bytesOf(segmentPath(1)).subarray(0, offset));
  await expect(openOn(short)).rejects.toMatchObject({
    code: 'data-abnormal',
    details: { reason: 'order', segment: 2 },
  });
  await log.checkpoint([1, 2, 3].flatMap((height) => block(height)));
  const [path = ''] = disk.paths();
  disk.replace(path, disk.bytesOf(path).subarray(0, offset));
  await expect(openOn(disk)).rejects.toMatchObject({ code: 'data-abnormal', details: { reason: 'truncated', offset } });
});

test('a log whose last groups are gone without a trace does not hold the position that it announced', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist(block(1));
  const early = Buffer.from(disk.bytesOf(segmentPath(1)));
  await log.persist(block(2));
  const position = log.position();
  disk.replace(segmentPath(1), early);
  const again = await openOn(disk);
  expect(again.restored.steps).toEqual(block(1));
  expect(again.standingOf(position)).toBe('lost');
});

test('a tail of which later sectors arrived before earlier ones is cut: an intact record behind a damage is no proof by itself', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist([hardState(1)]);
  const provenBytes = disk.bytesOf(segmentPath(1)).length;
  await log.persist([candidateStep(1), hardState(2)]);
  const bytes = Buffer.from(disk.bytesOf(segmentPath(1)));
  bytes.fill(0, provenBytes, provenBytes + 100);
  disk.replace(segmentPath(1), bytes);
  const { restored } = await openOn(disk);
  expect(restored).toMatchObject({ steps: [hardState(1)], tornTail: { segment: 1, offset: provenBytes } });
});

test('a damage before the last sync is refused with its place, whatever lies behind it, and nothing is changed', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist([hardState(1)]);
  const offset = disk.bytesOf(segmentPath(1)).length;
  await log.persist([candidateStep(1)]);
  await log.persist([hardState(2)]);
  const bytes = Buffer.from(disk.bytesOf(segmentPath(1)));
  bytes.writeUInt8(bytes.readUInt8(offset + 200) ^ 1, offset + 200);
  disk.replace(segmentPath(1), bytes);
  await expect(openOn(disk)).rejects.toMatchObject({
    code: 'data-abnormal',
    details: { reason: 'damage', segment: 1, offset },
  });
  expect(disk.bytesOf(segmentPath(1)).equals(bytes)).toBe(true);
});

test('one bit altered in any octet of a closed log is noticed', async () => {
  const { flips, refused, torn } = await everyFlip([hardState(1), hardState(2), hardState(3)], (octet) => [octet % 8]);
  expect(refused + torn).toBe(flips);
  // Only the mark at the end is not proven by anything behind it.
  expect(torn).toBe(64);
});

test.each([
  ['the first segment', 1, 'segment-missing'],
  ['a segment in the middle', 2, 'segment-missing'],
])('%s gone is noticed', async (_what, segment, reason) => {
  const disk = newDisk();
  const log = await openOn(disk, { maxSegmentSizeBytes: 1_500 });
  for (let height = 1; height <= 5; height += 1) await log.persist(block(height));
  await log.close();
  expect(disk.paths().length).toBeGreaterThan(3);
  disk.remove(segmentPath(segment));
  await expect(openOn(disk)).rejects.toMatchObject({ code: 'data-abnormal', details: { reason } });
});

test('a segment of another log, or of an earlier time, in place of one is noticed', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist(block(1));
  await log.close();
  const early = Buffer.from(disk.bytesOf(segmentPath(1)));
  const again = await openOn(disk, { maxSegmentSizeBytes: 4_000 });
  for (let height = 2; height <= 5; height += 1) await again.persist(block(height));
  await again.close();
  disk.replace(segmentPath(1), early);
  await expect(openOn(disk)).rejects.toMatchObject({ code: 'data-abnormal' });

  const other = newDisk();
  const stranger = await openOn(other, { maxSegmentSizeBytes: 1_500 });
  for (let height = 1; height <= 5; height += 1) await stranger.persist(block(height));
  await stranger.close();
  const mixed = other.copy();
  mixed.replace(segmentPath(2), disk.bytesOf(segmentPath(2)));
  await expect(openOn(mixed)).rejects.toMatchObject({ code: 'data-abnormal', details: { segment: 2 } });
});

test('a block altered after the log was opened is noticed when it is read', async () => {
  const disk = newDisk();
  const log = await openOn(disk);
  await log.persist([...block(1), ...block(2)]);
  const bytes = disk.bytesOf(segmentPath(1));
  const at = bytes.indexOf('oid-dock-2');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  const read = async () => {
    for await (const { seal } of log.read(1, 2)) expect(seal.header.height).toBe(1);
  };
  await expect(read()).rejects.toMatchObject({ code: 'data-abnormal', details: { reason: 'damage', segment: 1 } });
});
