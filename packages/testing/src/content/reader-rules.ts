import type { Block, BlockReader } from '@waymark/content';
import { CID } from 'multiformats/cid';
import { collect, expectCode } from './expect-code.ts';
import { refusedCids } from './refused-cids.ts';
import { linkingBlock, sampleBlock, sampleBlocks } from './sample-blocks.ts';

/** A reader and the ways a test reaches behind it. */
export interface ReaderUnderTest {
  readonly reader: BlockReader;
  /** Puts blocks where the reader reads. */
  readonly seed: (blocks: readonly Block[]) => Promise<unknown>;
  /** Overwrites the kept bytes of a block without telling anybody; absent where a test cannot reach them. */
  readonly alter?: ((cid: CID, bytes: Uint8Array) => Promise<void>) | undefined;
}

/** The rules of reading that every implementation of `BlockReader` keeps (S7). */
export function readerRules(underTest: () => ReaderUnderTest): void {
  const leaves = sampleBlocks('reader', 40);
  const kept: readonly Block[] = [
    sampleBlock('empty', 0),
    sampleBlock('one byte', 1),
    sampleBlock('largest', 2 * 1024 * 1024),
    linkingBlock(leaves.map((leaf) => leaf.cid)),
    ...leaves,
  ];
  const absent = sampleBlock('never stored').cid;

  beforeAll(() => underTest().seed(kept));

  test('exactly the bytes a CID names come back, from none to 2 MiB', async () => {
    for (const { cid, bytes } of kept) {
      const got = await underTest().reader.get(cid);
      expect(Buffer.compare(got, bytes)).toBe(0);
      expect(Buffer.isBuffer(got)).toBe(false);
    }
  });

  test('has() knows what is there', async () => {
    expect(await underTest().reader.has(leaves[0]?.cid ?? absent)).toBe(true);
    expect(await underTest().reader.has(absent)).toBe(false);
  });

  test('an absent block is unavailable', () => expectCode(underTest().reader.get(absent), 'unavailable'));

  test('getMany answers in the order asked for, repetitions too', async () => {
    const asked = [...leaves, ...leaves.slice(0, 7)].reverse().map((leaf) => leaf.cid);
    const got = await collect(underTest().reader.getMany(asked));
    expect(got.map((block) => block.cid.toString())).toEqual(asked.map((cid) => cid.toString()));
  });

  test('getMany ends with the error of the first block that cannot be read', async () => {
    const got: Block[] = [];
    const read = async (): Promise<void> => {
      for await (const block of underTest().reader.getMany([...leaves.slice(0, 3).map((leaf) => leaf.cid), absent]))
        got.push(block);
    };
    await expectCode(read(), 'unavailable');
    expect(got).toHaveLength(3);
  });

  test.each(refusedCids)('%s is refused', async (_what, cid) => {
    await expectCode(underTest().reader.get(cid), 'input-invalid');
    await expectCode(underTest().reader.has(cid), 'input-invalid');
  });

  test('the same bytes may be read as another codec: a block is named by its hash', async () => {
    const dag = linkingBlock(leaves.map((leaf) => leaf.cid));
    const alias = CID.createV1(0x55, dag.cid.multihash);
    expect(Buffer.compare(await underTest().reader.get(alias), dag.bytes)).toBe(0);
  });

  test('an aborted call ends with the reason of its signal', async () => {
    const reason = new Error('no longer wanted');
    await expect(underTest().reader.get(absent, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('altered bytes are data-abnormal, never data', async () => {
    const { reader, seed, alter } = underTest();
    if (alter === undefined) {
      process.stderr.write('not checked here: bytes cannot be altered behind this store\n');
      return;
    }
    const flipped = sampleBlock('to be flipped');
    const swapped = sampleBlock('to be swapped');
    await seed([flipped, swapped]);
    await reader.get(flipped.cid);
    const wrong = Uint8Array.from(flipped.bytes);
    wrong[512] = (wrong[512] ?? 0) ^ 1;
    await alter(flipped.cid, wrong);
    await alter(swapped.cid, sampleBlock('another block').bytes);
    await expectCode(reader.get(flipped.cid), 'data-abnormal');
    await expectCode(reader.get(swapped.cid), 'data-abnormal');
    await expectCode(collect(reader.getMany([swapped.cid])), 'data-abnormal');
  });
}
