import type { Block, ContentStore } from '@waymark/content';
import { CID } from 'multiformats/cid';
import { expectCode } from './expect-code.ts';
import { refusedCids } from './refused-cids.ts';
import { linkingBlock, rawBlock, sampleBlock, sampleBlocks, sampleBytes } from './sample-blocks.ts';

/** The rules of writing that every `ContentStore` keeps (S5, architecture invariant 3). */
export function writerRules(store: () => ContentStore): void {
  test('a repeated block changes nothing', async () => {
    const block = sampleBlock('repeated');
    await store().putMany([block]);
    await store().putMany([block, block]);
    expect(Buffer.compare(await store().get(block.cid), block.bytes)).toBe(0);
  });

  test('a stream longer than one write is stored whole', async () => {
    const blocks = sampleBlocks('stream', 5000, 64);
    async function* stream(): AsyncGenerator<Block> {
      yield* blocks;
      await Promise.resolve();
    }
    expect(await store().putMany(stream())).toMatchObject({ blocks: 5000, sizeBytes: 5000 * 64 });
    for (const block of [blocks[0], blocks[4095], blocks[4096], blocks[4999]]) {
      if (block !== undefined) expect(await store().has(block.cid)).toBe(true);
    }
  });

  test('callers at the same time are each answered, also for the same blocks', async () => {
    const blocks = sampleBlocks('at once', 50);
    await Promise.all(Array.from({ length: 8 }, (_none, at) => store().putMany(blocks.slice(at * 3, at * 3 + 20))));
    for (const block of blocks.slice(0, 41)) expect(await store().has(block.cid)).toBe(true);
  });

  test('nothing at all can be stored', async () => {
    expect(await store().putMany([])).toEqual({ blocks: 0, added: 0, sizeBytes: 0 });
  });

  test('bytes under the CID of others are data-abnormal and not stored', async () => {
    const { cid } = sampleBlock('the right bytes');
    await expectCode(store().putMany([{ cid, bytes: sampleBytes('the wrong bytes', 1024) }]), 'data-abnormal');
    expect(await store().has(cid)).toBe(false);
  });

  test('a block over 2 MiB is limit-exceeded', () =>
    expectCode(store().putMany([sampleBlock('too large', 2 * 1024 * 1024 + 1)]), 'limit-exceeded'));

  test('bytes that are not dag-cbor are refused under a dag-cbor CID', () => {
    const { cid, bytes } = rawBlock(Uint8Array.from([0xff, 0xff, 0xff]));
    return expectCode(store().putMany([{ cid: CID.createV1(0x71, cid.multihash), bytes }]), 'input-invalid');
  });

  test.each(refusedCids)('%s is refused', (_what, cid) =>
    expectCode(store().putMany([{ cid, bytes: Uint8Array.from([1, 2, 3]) }]), 'input-invalid'),
  );

  test('a source that fails ends the write with its own error', async () => {
    const reason = new Error('the source broke');
    async function* broken(): AsyncGenerator<Block> {
      yield await Promise.resolve(sampleBlock('before the break'));
      throw reason;
    }
    await expect(store().putMany(broken())).rejects.toBe(reason);
  });
}

/** The rules of pinning. */
export function pinRules(store: () => ContentStore): void {
  test('a complete DAG can be pinned, by itself or with the blocks, and given up', async () => {
    const leaves = sampleBlocks('pinned', 30);
    const inner = linkingBlock(
      leaves.slice(0, 10).map((leaf) => leaf.cid),
      'inner',
    );
    const root = linkingBlock([inner.cid, ...leaves.slice(10).map((leaf) => leaf.cid)], 'root');
    await store().putMany([...leaves, inner, root]);
    expect(await store().isPinned(root.cid)).toBe(false);
    await store().pin(root.cid);
    await store().pin(root.cid);
    expect(await store().isPinned(root.cid)).toBe(true);
    await store().unpin(root.cid);
    expect(await store().isPinned(root.cid)).toBe(false);
    await store().unpin(root.cid);
    await store().putMany([inner, root], { pinRoots: [root.cid, inner.cid] });
    expect(await store().isPinned(root.cid)).toBe(true);
    expect(await store().isPinned(inner.cid)).toBe(true);
    await store().putMany([], { pinRoots: [leaves[0]?.cid ?? root.cid] });
    expect(await store().isPinned(leaves[0]?.cid ?? root.cid)).toBe(true);
  });

  test('a DAG with a missing part cannot be pinned: unavailable', async () => {
    const leaf = sampleBlock('missing leaf');
    const deep = linkingBlock([sampleBlock('missing deeper').cid], 'deep');
    const incomplete = [linkingBlock([leaf.cid], 'a'), deep, linkingBlock([deep.cid], 'b')];
    await store().putMany(incomplete);
    for (const { cid } of incomplete) {
      await expectCode(store().pin(cid, { timeoutMs: 5000 }), 'unavailable');
      expect(await store().isPinned(cid)).toBe(false);
    }
    await expectCode(store().putMany(incomplete, { pinRoots: [deep.cid] }), 'unavailable');
    await expectCode(store().pin(leaf.cid, { timeoutMs: 5000 }), 'unavailable');
  });

  test.each(refusedCids)('%s cannot be pinned', async (_what, cid) => {
    await expectCode(store().pin(cid), 'input-invalid');
    await expectCode(store().unpin(cid), 'input-invalid');
    await expectCode(store().isPinned(cid), 'input-invalid');
  });
}
