import type { ContentStore } from '@waymark/content';
import type { CID } from 'multiformats/cid';
import { expectCode } from './expect-code.ts';
import { fileRules } from './file-rules.ts';
import { keeperRules } from './keeper-rules.ts';
import { type ReaderUnderTest, readerRules } from './reader-rules.ts';
import { linkingBlock, sampleBlock, sampleBlocks } from './sample-blocks.ts';
import { pinRules, writerRules } from './writer-rules.ts';

export { collect, expectCode } from './expect-code.ts';
export { unixfsVectorBytes, unixfsVectors } from './file-rules.ts';
export type { ReaderUnderTest } from './reader-rules.ts';
export { refusedCids } from './refused-cids.ts';
export { linkingBlock, rawBlock, saltSamples, sampleBlock, sampleBlocks, sampleBytes } from './sample-blocks.ts';
export { notingPins, releasePins } from './noted-pins.ts';

/** A store, and the ways a test reaches behind it. */
export interface StoreUnderTest {
  /** Opens the store on the same data; the one opened before was closed. */
  open(): Promise<ContentStore>;
  /** Overwrites the kept bytes of a block without telling the store; absent where a test cannot reach them. */
  readonly alter?: ((cid: CID, bytes: Uint8Array) => Promise<void>) | undefined;
  /** Removes the data. */
  dispose(): Promise<void>;
}

/** One suite for every implementation of the content-store port. */
export function contentStoreCompliance(name: string, prepare: () => Promise<StoreUnderTest>): void {
  describe(`content store: ${name}`, () => {
    let underTest: StoreUnderTest;
    let store: ContentStore;

    beforeAll(async () => {
      underTest = await prepare();
      store = await underTest.open();
    });

    afterAll(async () => {
      await store.close();
      await underTest.dispose();
    });

    describe('reading', () =>
      readerRules(() => ({
        reader: store,
        seed: (blocks) => store.putMany(blocks),
        alter: underTest.alter,
      })));
    describe('writing', () => writerRules(() => store));
    describe('pinning', () => pinRules(() => store));
    describe('keeping whole', () => keeperRules(() => ({ store, alter: underTest.alter })));
    describe('files', () => fileRules(() => store));

    test('stats count blocks, bytes and pinned roots', async () => {
      const before = await store.stats();
      const leaves = sampleBlocks('counted', 10);
      const root = linkingBlock(
        leaves.map((leaf) => leaf.cid),
        'counted',
      );
      await store.putMany([...leaves, root], { pinRoots: [root.cid] });
      const after = await store.stats();
      expect(after.blocks - before.blocks).toBe(11);
      expect(after.sizeBytes - before.sizeBytes).toBeGreaterThanOrEqual(10 * 1024);
      expect(after.pinnedRoots - before.pinnedRoots).toBe(1);
    });

    test('what was acknowledged, and what was pinned, is there after opening again', async () => {
      const leaf = sampleBlock('kept over opening');
      const root = linkingBlock([leaf.cid], 'kept over opening');
      await store.putMany([leaf, root], { pinRoots: [root.cid] });
      await store.close();
      await expectCode(store.get(leaf.cid), 'unavailable');
      await expectCode(store.putMany([leaf]), 'unavailable');
      store = await underTest.open();
      expect(Buffer.compare(await store.get(leaf.cid), leaf.bytes)).toBe(0);
      expect(await store.isPinned(root.cid)).toBe(true);
    });

    test('a repair holds after opening again', async () => {
      const block = sampleBlock('repaired for good');
      await store.putMany([block]);
      const wrong = Uint8Array.from(block.bytes, (byte) => byte ^ 1);
      await underTest.alter?.(block.cid, wrong);
      await store.repair(block);
      await store.close();
      store = await underTest.open();
      expect(Buffer.compare(await store.get(block.cid, { local: true }), block.bytes)).toBe(0);
    });
  });
}

/** The reading half of the suite, for sources that cannot be written to. */
export function blockReaderCompliance(
  name: string,
  prepare: () => Promise<ReaderUnderTest & { dispose(): Promise<void> }>,
): void {
  describe(`block reader: ${name}`, () => {
    let underTest: ReaderUnderTest & { dispose(): Promise<void> };
    beforeAll(async () => {
      underTest = await prepare();
    });
    afterAll(() => underTest.dispose());
    readerRules(() => underTest);
  });
}
