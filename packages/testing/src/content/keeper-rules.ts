import type { Block, ContentStore } from '@waymark/content';
import type { CID } from 'multiformats/cid';
import { expectCode } from './expect-code.ts';
import { refusedCids } from './refused-cids.ts';
import { linkingBlock, sampleBlock, sampleBlocks, sampleBytes } from './sample-blocks.ts';

/** A store and the way a test damages what it keeps. */
export interface KeeperUnderTest {
  readonly store: ContentStore;
  /** Overwrites the kept bytes of a block without telling anybody; absent where a test cannot reach them. */
  readonly alter?: ((cid: CID, bytes: Uint8Array) => Promise<void>) | undefined;
}

/** The rules of keeping a pinned DAG whole (S7). */
export function keeperRules(underTest: () => KeeperUnderTest): void {
  test('a whole DAG is held, each of its blocks counted once', async () => {
    const { store } = underTest();
    const { root, blocks } = sampleDag('held');
    await store.putMany(blocks);
    const sizeBytes = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(await store.checkHeld(root.cid)).toEqual({
      held: true,
      blocks: blocks.length,
      sizeBytes,
      missing: [],
      altered: [],
    });
  });

  test('what is missing is named, down to where it can be known', async () => {
    const { store } = underTest();
    const { root, inner, leaves, blocks } = sampleDag('with a gap');
    expect(await store.checkHeld(root.cid)).toMatchObject({ held: false, blocks: 0, missing: [root.cid] });
    const gone = new Set([inner, leaves[20]]);
    await store.putMany(blocks.filter((block) => !gone.has(block)));
    const report = await store.checkHeld(root.cid);
    expect(report.held).toBe(false);
    expect(textsOf(report.missing)).toEqual(textsOf([inner.cid, leaves[20]?.cid ?? root.cid]));
    expect(report.altered).toEqual([]);
    for (const block of [inner, leaves[20] ?? inner]) await store.repair(block);
    expect(await store.checkHeld(root.cid)).toMatchObject({ held: true, blocks: blocks.length });
  });

  test('what was altered is named, and repaired while it is pinned: it reads, is pinned and is counted as before', async () => {
    const { store, alter } = underTest();
    if (alter === undefined) {
      process.stderr.write('not checked here: bytes cannot be altered behind this store\n');
      return;
    }
    const { root, inner, leaves, blocks } = sampleDag('altered');
    await store.putMany(blocks, { pinRoots: [root.cid] });
    await store.checkHeld(root.cid);
    const before = await store.stats();
    const victims = [leaves[3] ?? root, inner, leaves[17] ?? root];
    for (const { cid, bytes } of victims) await alter(cid, flipped(bytes));
    const found = await store.checkHeld(root.cid);
    // A leaf under the altered inner block is not named: nobody can say that it belongs there.
    expect(textsOf(found.altered)).toEqual(textsOf([inner.cid, leaves[17]?.cid ?? root.cid]));
    expect(found).toMatchObject({ held: false, missing: [] });
    for (const block of victims) {
      await expectCode(store.get(block.cid), 'data-abnormal');
      await store.repair(block);
      expect(Buffer.compare(await store.get(block.cid), block.bytes)).toBe(0);
    }
    expect(await store.checkHeld(root.cid)).toMatchObject({ held: true, blocks: blocks.length });
    expect(await store.isPinned(root.cid)).toBe(true);
    const after = await store.stats();
    expect([after.blocks, after.pinnedRoots]).toEqual([before.blocks, before.pinnedRoots]);
  });

  test('an altered root is named alone, and a pin of it is data-abnormal', async () => {
    const { store, alter } = underTest();
    if (alter === undefined) {
      process.stderr.write('not checked here: bytes cannot be altered behind this store\n');
      return;
    }
    const { root, blocks } = sampleDag('altered root');
    await store.putMany(blocks);
    await alter(root.cid, flipped(root.bytes));
    const report = await store.checkHeld(root.cid);
    expect([textsOf(report.altered), report.blocks]).toEqual([[root.cid.toString()], 0]);
    await expectCode(store.pin(root.cid, { timeoutMs: 5000 }), 'data-abnormal');
    expect(await store.isPinned(root.cid)).toBe(false);
  });

  test('a repair with other bytes is data-abnormal and changes nothing', async () => {
    const { store } = underTest();
    const block = sampleBlock('sound');
    await store.putMany([block]);
    await expectCode(store.repair({ cid: block.cid, bytes: sampleBytes('other', 1024) }), 'data-abnormal');
    expect(Buffer.compare(await store.get(block.cid), block.bytes)).toBe(0);
    await store.repair(block);
  });

  test('a check is bounded: by blocks with limit-exceeded, by faults with what it found', async () => {
    const { store } = underTest();
    const { root, blocks } = sampleDag('bounded');
    await store.putMany(blocks);
    await expectCode(store.checkHeld(root.cid, { maxBlocks: blocks.length - 1 }), 'limit-exceeded');
    expect(await store.checkHeld(root.cid, { maxBlocks: blocks.length })).toMatchObject({ held: true });
    const hollow = linkingBlock(
      sampleBlocks('never stored leaves', 100).map(({ cid }) => cid),
      'hollow',
    );
    await store.putMany([hollow]);
    const some = await store.checkHeld(hollow.cid, { maxFaults: 5 });
    expect(some.held).toBe(false);
    expect(some.missing.length).toBeGreaterThanOrEqual(5);
    expect(some.missing.length).toBeLessThan(50);
    expect((await store.checkHeld(hollow.cid)).missing).toHaveLength(100);
  });

  test('a local read gives what is here and never more', async () => {
    const { store } = underTest();
    const block = sampleBlock('local');
    await store.putMany([block]);
    expect(Buffer.compare(await store.get(block.cid, { local: true }), block.bytes)).toBe(0);
    await expectCode(store.get(sampleBlock('nowhere').cid, { local: true }), 'unavailable');
  });

  test.each(refusedCids)('%s is neither checked nor repaired', async (_what, cid) => {
    await expectCode(underTest().store.checkHeld(cid), 'input-invalid');
    await expectCode(underTest().store.repair({ cid, bytes: Uint8Array.from([1, 2, 3]) }), 'input-invalid');
  });
}

/** A root over an inner block of ten leaves and twenty leaves more. */
function sampleDag(seed: string): { root: Block; inner: Block; leaves: Block[]; blocks: Block[] } {
  const leaves = sampleBlocks(`keeper ${seed}`, 30);
  const links = leaves.map(({ cid }) => cid);
  const inner = linkingBlock(links.slice(0, 10), `keeper inner ${seed}`);
  const root = linkingBlock([inner.cid, ...links.slice(10)], `keeper root ${seed}`);
  return { root, inner, leaves, blocks: [...leaves, inner, root] };
}

function flipped(bytes: Uint8Array): Uint8Array {
  const wrong = Uint8Array.from(bytes);
  const at = wrong.length >> 1;
  wrong[at] = (wrong[at] ?? 0) ^ 1;
  return wrong;
}

function textsOf(cids: readonly CID[]): string[] {
  return cids.map(String).sort();
}
