import { type Abnormality, type Block, type BlockReader, createTieredSource, readDag } from '@waymark/content';
import { WaymarkError } from '@waymark/protocol';
import { collect, expectCode, linkingBlock, sampleBlock, sampleBlocks } from '@waymark/testing/content-compliance';

const block = sampleBlock('tiered');
const fault = (code: 'unavailable' | 'data-abnormal' | 'input-invalid'): WaymarkError => new WaymarkError(code, code);

function source(answer: Uint8Array | WaymarkError): BlockReader & { reads: number } {
  const reader = {
    reads: 0,
    get: (): Promise<Uint8Array> => {
      reader.reads += 1;
      return answer instanceof WaymarkError ? Promise.reject(answer) : Promise.resolve(answer);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- these sources are read by get alone
    async *getMany(): AsyncGenerator<Block> {
      throw new Error('not asked');
    },
    has: (): Promise<boolean> => (answer instanceof WaymarkError ? Promise.reject(answer) : Promise.resolve(true)),
  };
  return reader;
}

function tiered(answers: readonly (Uint8Array | WaymarkError)[]): { reader: BlockReader; seen: Abnormality[] } {
  const seen: Abnormality[] = [];
  return { reader: createTieredSource(answers.map(source), { onAbnormal: (one) => seen.push(one) }), seen };
}

test('the first source that has the bytes is enough', async () => {
  const second = source(block.bytes);
  const reader = createTieredSource([source(block.bytes), second]);
  expect(await reader.get(block.cid)).toBe(block.bytes);
  expect(second.reads).toBe(0);
});

test('a source that is unavailable gives way without a report', async () => {
  const { reader, seen } = tiered([fault('unavailable'), block.bytes]);
  expect(await reader.get(block.cid)).toBe(block.bytes);
  expect(seen).toEqual([]);
});

test('an abnormal source gives way and is reported with the right bytes, for repair', async () => {
  const { reader, seen } = tiered([fault('unavailable'), fault('data-abnormal'), block.bytes]);
  expect(await reader.get(block.cid)).toBe(block.bytes);
  expect(seen).toMatchObject([{ sourceIndex: 1, bytes: block.bytes, error: { code: 'data-abnormal' } }]);
  expect(seen[0]?.cid.toString()).toBe(block.cid.toString());
});

test('a source that passes wrong bytes as good ones is abnormal too', async () => {
  const { reader, seen } = tiered([sampleBlock('wrong').bytes, block.bytes]);
  expect(await reader.get(block.cid)).toBe(block.bytes);
  expect(seen).toMatchObject([{ sourceIndex: 0 }]);
});

test.each<[string, WaymarkError[], 'unavailable' | 'data-abnormal']>([
  ['all unavailable', [fault('unavailable'), fault('unavailable')], 'unavailable'],
  ['one abnormal, one unavailable', [fault('data-abnormal'), fault('unavailable')], 'data-abnormal'],
  ['one unavailable, one abnormal', [fault('unavailable'), fault('data-abnormal')], 'data-abnormal'],
])('%s: %s', async (_what, answers, code) => {
  const { reader, seen } = tiered(answers);
  await expectCode(reader.get(block.cid), code);
  await expectCode(collect(reader.getMany([block.cid])), code);
  expect(seen.every((one) => one.bytes === undefined)).toBe(true);
});

test('any other error ends the read', async () => {
  const { reader } = tiered([fault('input-invalid'), block.bytes]);
  await expectCode(reader.get(block.cid), 'input-invalid');
});

test('a report that throws does not spoil the read', async () => {
  const reader = createTieredSource([source(fault('data-abnormal')), source(block.bytes)], {
    onAbnormal: () => {
      throw new Error('repair failed');
    },
  });
  expect(await reader.get(block.cid)).toBe(block.bytes);
});

test('has() asks on until one says yes; it fails only when none can tell', async () => {
  expect(await tiered([fault('unavailable'), block.bytes]).reader.has(block.cid)).toBe(true);
  await expectCode(tiered([fault('unavailable'), fault('unavailable')]).reader.has(block.cid), 'unavailable');
});

test('no sources at all is configuration-invalid', () => {
  expect(() => createTieredSource([])).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error);
});

test('a DAG is read over tiers, each block from where it is', async () => {
  const leaves = sampleBlocks('leaf', 6);
  const root = linkingBlock([...leaves, ...leaves].map((leaf) => leaf.cid));
  const holding = (held: readonly Block[]): BlockReader => ({
    ...source(fault('unavailable')),
    get: (cid) => {
      const found = held.find((one) => one.cid.equals(cid));
      return found === undefined ? Promise.reject(fault('unavailable')) : Promise.resolve(found.bytes);
    },
  });
  const reader = createTieredSource([holding([root, ...leaves.slice(0, 3)]), holding(leaves.slice(3))]);
  const got = await collect(readDag(reader, root.cid));
  expect(got.map((one) => one.cid.toString())).toEqual([root, ...leaves].map((one) => one.cid.toString()));
});
