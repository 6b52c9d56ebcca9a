import { type Block, readDag } from '@waymark/content';
import { collect, expectCode, linkingBlock, sampleBlock, sampleBlocks } from '@waymark/testing/content-compliance';
import type { CID } from 'multiformats/cid';

/** A reader that notes how many reads are under way, and answers a turn of the event loop later. */
function notingReader(blocks: readonly Block[]): {
  asked: string[];
  most: () => number;
  get: (cid: CID) => Promise<Uint8Array>;
} {
  const bytesOf = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  const asked: string[] = [];
  let underWay = 0;
  let most = 0;
  return {
    asked,
    most: () => most,
    async get(cid) {
      asked.push(cid.toString());
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      const bytes = bytesOf.get(cid.toString());
      if (bytes === undefined) throw new Error('not asked for');
      return bytes;
    },
  };
}

const leaves = sampleBlocks('dag leaf', 50);
const cidsOf = (blocks: readonly Block[]): CID[] => blocks.map(({ cid }) => cid);
const textsOf = (blocks: readonly Block[]): string[] => blocks.map(({ cid }) => cid.toString());

test('blocks come depth first in the order of the links, each once, whatever lies between the leaves', async () => {
  const deep = linkingBlock(cidsOf(leaves.slice(20, 30)), 'deep');
  const inner = linkingBlock([...cidsOf(leaves.slice(10, 20)), deep.cid, ...cidsOf(leaves.slice(0, 3))], 'inner');
  const root = linkingBlock([...cidsOf(leaves.slice(0, 5)), inner.cid, ...cidsOf(leaves.slice(3, 10))], 'root');
  const reader = notingReader([root, inner, deep, ...leaves]);
  expect(textsOf(await collect(readDag(reader, root.cid)))).toEqual(
    textsOf([
      root,
      ...leaves.slice(0, 5),
      inner,
      ...leaves.slice(10, 20),
      deep,
      ...leaves.slice(20, 30),
      ...leaves.slice(5, 10),
    ]),
  );
});

test('leaves are read several at once, and nothing is read before the block that links to it was handed on', async () => {
  const root = linkingBlock(cidsOf(leaves));
  const reader = notingReader([root, ...leaves]);
  const dag = readDag(reader, root.cid);
  expect((await dag.next()).value).toMatchObject({ cid: root.cid });
  expect(reader.asked).toEqual([root.cid.toString()]);
  await collect(dag);
  expect(reader.most()).toBe(16);
});

test('a reader that stops asks for no more', async () => {
  const root = linkingBlock(cidsOf(leaves));
  const reader = notingReader([root, ...leaves]);
  const dag = readDag(reader, root.cid);
  for (let taken = 0; taken < 3; taken++) await dag.next();
  await dag.return(undefined);
  expect(reader.asked.length).toBeLessThanOrEqual(17);
});

test('a DAG over a limit is limit-exceeded', async () => {
  const root = linkingBlock(cidsOf(leaves));
  const reader = notingReader([root, ...leaves]);
  await expectCode(collect(readDag(reader, root.cid, { maxBlocks: 50 })), 'limit-exceeded');
  await expectCode(collect(readDag(reader, root.cid, { maxSizeBytes: 10_000 })), 'limit-exceeded');
  expect(await collect(readDag(reader, root.cid, { maxBlocks: 51 }))).toHaveLength(51);
});

test('the fault of the first block that cannot be read ends it', async () => {
  const root = linkingBlock([...cidsOf(leaves.slice(0, 4)), sampleBlock('absent').cid]);
  await expect(collect(readDag(notingReader([root, ...leaves]), root.cid))).rejects.toThrow('not asked for');
});
