import { createReadStream } from 'node:fs';
import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarReader } from '@ipld/car';
import { type Block, type EmbeddedContentStore, openEmbeddedStore } from '@waymark/content';
import { expectCode, linkingBlock, sampleBlock, sampleBlocks } from '@waymark/testing/content-compliance';
import { ClassicLevel } from 'classic-level';
import { newFolder, removeFolders } from './harness/folders.ts';
import { flipOnDisk, overwriteFromOutside, payloadOnDisk, segmentPaths } from './harness/segments-on-disk.ts';

const blocks = sampleBlocks('damage', 60);
let folder: string;
let store: EmbeddedContentStore | undefined;

beforeEach(async () => {
  folder = await newFolder();
});

afterEach(async () => {
  await store?.close();
  store = undefined;
  await removeFolders();
});

async function open(
  options: { rebuildIndex?: boolean; maxSegmentSizeBytes?: number } = {},
): Promise<EmbeddedContentStore> {
  await store?.close();
  store = await openEmbeddedStore({ folder, ...options });
  return store;
}

async function expectReadable(reader: EmbeddedContentStore, expected: readonly Block[]): Promise<void> {
  for (const { cid, bytes } of expected) expect(Buffer.compare(await reader.get(cid), bytes)).toBe(0);
}

/** Writes blocks in two groups and closes. */
async function fill(): Promise<string> {
  const filled = await open();
  await filled.putMany(blocks.slice(0, 30));
  await filled.putMany(blocks.slice(30));
  await filled.close();
  return (await segmentPaths(folder))[0] ?? '';
}

async function forgetIndex(): Promise<void> {
  await rm(join(folder, 'index'), { recursive: true });
}

describe('segments', () => {
  test('each is a CARv1 that the plain library reads', async () => {
    const small = await open({ maxSegmentSizeBytes: 10_000 });
    for (const block of blocks) await small.putMany([block]);
    const paths = await segmentPaths(folder);
    expect(paths.length).toBeGreaterThan(5);
    const found = new Set<string>();
    for (const path of paths) {
      expect((await stat(path)).size).toBeLessThanOrEqual(10_000);
      const car = await CarReader.fromIterable(createReadStream(path));
      for await (const { cid } of car.blocks()) found.add(cid.toString());
    }
    expect(found).toEqual(new Set(blocks.map((block) => block.cid.toString())));
  });
});

describe('altered bytes', () => {
  test('a byte flipped by another process is noticed on the next read, also after a good read (S7)', async () => {
    const opened = await open();
    await opened.putMany(blocks);
    const [victim = sampleBlock(''), neighbour = victim] = blocks;
    await expectReadable(opened, [victim]);
    await flipOnDisk(folder, victim.cid, victim.bytes);
    await expectCode(opened.get(victim.cid), 'data-abnormal');
    await expectReadable(opened, [neighbour]);
  });

  test('putting the right bytes again repairs the block, also over a rebuilt index', async () => {
    await fill();
    const [victim = sampleBlock('')] = blocks;
    await flipOnDisk(folder, victim.cid, victim.bytes);
    const opened = await open();
    const before = await opened.stats();
    expect(await opened.putMany(blocks)).toMatchObject({ added: 0 });
    await expectReadable(opened, [victim]);
    expect(await opened.stats()).toEqual(before);
    await expectReadable(await open({ rebuildIndex: true }), blocks);
  });

  test('entries of the index that point at each other’s blocks are data-abnormal', async () => {
    await fill();
    const [a = sampleBlock(''), b = a] = blocks;
    const level = new ClassicLevel<Uint8Array, Uint8Array>(join(folder, 'index'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    const [atA, atB] = await level.getMany([a.cid.multihash.digest, b.cid.multihash.digest]);
    await level.put(a.cid.multihash.digest, atB ?? new Uint8Array());
    await level.put(b.cid.multihash.digest, atA ?? new Uint8Array());
    await level.put(blocks[2]?.cid.multihash.digest ?? new Uint8Array(), Buffer.alloc(14, 0xff));
    await level.put(blocks[3]?.cid.multihash.digest ?? new Uint8Array(), Buffer.alloc(3));
    await level.close();
    const opened = await open();
    for (const block of blocks.slice(0, 4)) await expectCode(opened.get(block.cid), 'data-abnormal');
    await expectReadable(await open({ rebuildIndex: true }), blocks);
  });

  test('a DAG with an altered inner block cannot be pinned', async () => {
    const inner = linkingBlock([sampleBlock('leaf').cid], 'inner');
    const root = linkingBlock([inner.cid]);
    const opened = await open();
    await opened.putMany([sampleBlock('leaf'), inner, root]);
    await flipOnDisk(folder, inner.cid, inner.bytes);
    await expectCode(opened.pin(root.cid), 'data-abnormal');
    expect(await opened.isPinned(root.cid)).toBe(false);
  });

  test('a truncated segment is reported; its lost blocks are never data, new ones go elsewhere', async () => {
    const path = await fill();
    const last = blocks[59] ?? sampleBlock('');
    await truncate(path, (await stat(path)).size - 100);
    const opened = await open();
    expect(opened.openReport.damage).toMatchObject([{ segment: 1, kind: 'truncated' }]);
    await expectCode(opened.get(last.cid), 'data-abnormal');
    await opened.putMany([sampleBlock('after the loss'), last]);
    await expectReadable(opened, [sampleBlock('after the loss'), ...blocks]);
    expect(await segmentPaths(folder)).toHaveLength(2);
    expect((await open()).openReport.damage).toEqual([]);
  });

  test('a removed segment leaves unavailable blocks, and the store can be written to', async () => {
    await rm(await fill());
    const opened = await open();
    expect(opened.openReport.damage).toHaveLength(1);
    await expectCode(opened.get(blocks[0]?.cid ?? sampleBlock('').cid), 'unavailable');
    await opened.putMany([sampleBlock('new')]);
    await expectReadable(await open(), [sampleBlock('new')]);
  });
});

describe('the index', () => {
  test.each([
    ['removed', forgetIndex],
    ['without its manifest', () => overwriteIndexFile(/^CURRENT$/, 'MANIFEST-999999\n')],
    ['with a manifest of garbage', () => overwriteIndexFile(/^MANIFEST-/, 'garbage'.repeat(100))],
  ])('%s is made again from the segments', async (_how, damage) => {
    await fill();
    await damage();
    const opened = await open();
    expect(opened.openReport).toMatchObject({ indexRebuilt: true, recoveredBlocks: 60, damage: [] });
    expect(await opened.stats()).toMatchObject({ blocks: 60, sizeBytes: 60 * 1024 });
    await expectReadable(opened, blocks);
    await opened.putMany([sampleBlock('after')]);
    expect((await open()).openReport).toMatchObject({ indexRebuilt: false, recoveredBlocks: 0 });
  });

  async function overwriteIndexFile(name: RegExp, content: string): Promise<void> {
    const { readdir } = await import('node:fs/promises');
    for (const file of await readdir(join(folder, 'index'))) {
      if (name.test(file)) await writeFile(join(folder, 'index', file), content);
    }
  }
});

describe('torn tails', () => {
  test('an unfinished write is cut at every length, and what was acknowledged stays', async () => {
    const path = await fill();
    const whole = await readFile(path);
    const { offset, sizeBytes } = await payloadOnDisk(folder, blocks[59]?.cid ?? sampleBlock('').cid);
    const lastStart = offset - 36 - 2;
    expect(offset + sizeBytes).toBe(whole.length);
    for (let end = lastStart + 1; end < whole.length; end += 97) {
      await writeFile(path, whole.subarray(0, end));
      await forgetIndex();
      const opened = await open();
      expect(opened.openReport.tornTail).toEqual({ segment: 1, at: lastStart, sizeBytes: end - lastStart });
      expect(opened.openReport.damage).toEqual([]);
      expect((await stat(path)).size).toBe(lastStart);
      await expectReadable(opened, blocks.slice(0, 59));
    }
    await (await open()).putMany(blocks.slice(59));
    await expectReadable(await open({ rebuildIndex: true }), blocks);
    expect(Buffer.compare(await readFile(path), whole)).toBe(0);
  });

  test('only what lies behind the watermark is scanned and cut when the index is sound', async () => {
    const path = await fill();
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([whole, whole.subarray(whole.length - 500)]));
    const opened = await open();
    expect(opened.openReport).toMatchObject({ tornTail: { at: whole.length, sizeBytes: 500 }, recoveredBlocks: 0 });
    await expectReadable(opened, blocks);
  });

  test('a write that reached the disk but not the index is taken in', async () => {
    const path = await fill();
    const whole = await readFile(path);
    const other = await newFolder();
    const elsewhere = await openEmbeddedStore({ folder: other });
    const extra = sampleBlocks('not indexed', 5);
    await elsewhere.putMany(extra);
    await elsewhere.close();
    const sections = (await readFile((await segmentPaths(other))[0] ?? '')).subarray(headerSizeBytes(whole));
    await writeFile(path, Buffer.concat([whole, sections]));
    const opened = await open();
    expect(opened.openReport).toMatchObject({ recoveredBlocks: 5, indexRebuilt: false });
    await expectReadable(opened, [...blocks, ...extra]);
  });

  test.each([0, 1, 10, 30])('a segment that was just begun (%i bytes) is begun again', async (sizeBytes) => {
    const path = await fill();
    const whole = await readFile(path);
    await writeFile(join(folder, 'segments', '000000000002.car'), whole.subarray(0, sizeBytes));
    const opened = await open();
    expect(opened.openReport.damage).toEqual([]);
    await opened.putMany([sampleBlock('next')]);
    await expectReadable(await open({ rebuildIndex: true }), [...blocks, sampleBlock('next')]);
  });

  test('zeros behind the last block, as a file system may leave them, are cut', async () => {
    const path = await fill();
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(3_000_000)]));
    expect((await open({ rebuildIndex: true })).openReport.tornTail?.sizeBytes).toBe(3_000_000);
  });
});

describe('damage in the middle', () => {
  test('lost framing is reported, not cut, and hides nothing behind it', async () => {
    const path = await fill();
    const sizeBefore = (await stat(path)).size;
    const { offset } = await payloadOnDisk(folder, blocks[10]?.cid ?? sampleBlock('').cid);
    await overwriteFromOutside(path, offset - 38, Uint8Array.from([0xff, 0xff, 0xff]));
    await forgetIndex();
    const opened = await open();
    expect(opened.openReport.tornTail).toBeUndefined();
    expect(opened.openReport.damage).toEqual([{ segment: 1, start: offset - 38, end: offset + 1024, kind: 'framing' }]);
    expect((await stat(path)).size).toBe(sizeBefore);
    await expectReadable(opened, [...blocks.slice(0, 10), ...blocks.slice(11)]);
    await expectCode(opened.get(blocks[10]?.cid ?? sampleBlock('').cid), 'unavailable');
  });

  test('altered content met while the index is rebuilt is reported and stays data-abnormal', async () => {
    await fill();
    const victim = blocks[10] ?? sampleBlock('');
    await flipOnDisk(folder, victim.cid, victim.bytes);
    const opened = await open({ rebuildIndex: true });
    expect(opened.openReport.damage).toMatchObject([{ segment: 1, kind: 'content' }]);
    await expectCode(opened.get(victim.cid), 'data-abnormal');
  });

  test('a damaged header is reported, and all blocks are found', async () => {
    const path = await fill();
    await overwriteFromOutside(path, 0, Uint8Array.from([0xff, 0xff]));
    const opened = await open({ rebuildIndex: true });
    expect(opened.openReport.damage).toMatchObject([{ segment: 1, start: 0, kind: 'framing' }]);
    await expectReadable(opened, blocks);
  });

  test('random bytes over random places: every read gives the right bytes or an error', async () => {
    const path = await fill();
    const whole = await readFile(path);
    let state = 20_240_717;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    for (let round = 0; round < 15; round++) {
      const broken = Buffer.from(whole);
      for (let hit = 0; hit < 5; hit++) broken[random(broken.length)] = random(256);
      await writeFile(path, broken);
      const opened = await open({ rebuildIndex: round % 2 === 0 });
      let wrong = 0;
      for (const { cid, bytes } of blocks) {
        const got = await opened.get(cid).catch(() => undefined);
        if (got !== undefined && Buffer.compare(got, bytes) !== 0) wrong += 1;
      }
      expect(wrong).toBe(0);
    }
  });
});

describe('the pin log', () => {
  const leaf = sampleBlock('pinned leaf');
  const roots = [linkingBlock([leaf.cid], 'one'), linkingBlock([leaf.cid], 'two'), linkingBlock([leaf.cid], 'three')];

  test('a torn line is cut, a damaged one is reported and the others hold', async () => {
    const filled = await open();
    await filled.putMany([leaf, ...roots]);
    for (const { cid } of roots) await filled.pin(cid);
    await filled.close();
    const path = join(folder, 'pins.log');
    const lines = (await readFile(path, 'utf8')).split('\n');
    lines[1] = `0000${lines[1]?.slice(4) ?? ''}`;
    await writeFile(path, `${lines.join('\n')}deadbeef pin bafk`);
    const opened = await open();
    expect(opened.openReport.damagedPinLines).toEqual([2]);
    const pinned = await Promise.all(roots.map(({ cid }) => opened.isPinned(cid)));
    expect(pinned).toEqual([true, false, true]);
    await opened.unpin(roots[0]?.cid ?? leaf.cid);
    const again = await open();
    expect(await again.isPinned(roots[0]?.cid ?? leaf.cid)).toBe(false);
    expect((await again.stats()).pinnedRoots).toBe(1);
  });
});

function headerSizeBytes(segment: Buffer): number {
  return 1 + (segment[0] ?? 0);
}
