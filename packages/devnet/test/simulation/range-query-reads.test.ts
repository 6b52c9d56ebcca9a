import { createHash } from 'node:crypto';
import { ledger } from '@hyperledger/fabric-protos';
import { RangeReadsCollector, buildKVRead } from '../../src/simulation/index.ts';

describe('what a range read leaves in the read set', () => {
  const read = (index: number) => buildKVRead(`key${index}`, { blockNumber: BigInt(index), txNumber: 1n });
  const collect = (count: number, maxDegree: number) => {
    const collector = new RangeReadsCollector(maxDegree);
    for (let index = 0; index < count; index++) collector.add(read(index));
    return collector.finish();
  };

  test('up to the degree: every key and version', () => {
    expect(collect(0, 50)).toEqual({ kind: 'raw', reads: [] });
    const fifty = collect(50, 50);
    expect(fifty.kind).toBe('raw');
    expect(fifty.kind === 'raw' && fifty.reads.map((entry) => entry.getKey()).at(-1)).toBe('key49');
  });

  test('above the degree: the hashes of one level, built of groups of one more than the degree', () => {
    for (const maxDegree of [2, 3, 5]) {
      for (let count = maxDegree + 1; count < 200; count++) {
        const result = collect(count, maxDegree);
        if (result.kind !== 'summary') throw new Error(`${count} results of degree ${maxDegree} were not summarised`);
        const expected = summarise(count, maxDegree, read);
        expect(result.summary.getMaxDegree()).toBe(maxDegree);
        expect([count, result.summary.getMaxLevel()]).toEqual([count, expected.level]);
        expect(result.summary.getMaxLevelHashesList_asB64()).toEqual(expected.hashes);
      }
    }
  });
});

/** The same tree, built level by level from the whole list (a group that is not full is closed only at the end). */
function summarise(
  count: number,
  maxDegree: number,
  read: (index: number) => ledger.rwset.kvrwset.KVRead,
): { level: number; hashes: string[] } {
  const width = maxDegree + 1;
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const leaves: Buffer[] = [];
  for (let start = 0; start < count; start += width) {
    const reads = new ledger.rwset.kvrwset.QueryReads();
    reads.setKvReadsList(Array.from({ length: Math.min(width, count - start) }, (_, index) => read(start + index)));
    leaves.push(hash(reads.serializeBinary()));
  }
  // Full groups go up while results arrive; what is left on a level goes up as one node at the end.
  const levels: Buffer[][] = [leaves];
  for (let level = 0; (levels[level]?.length ?? 0) >= width; level++) {
    const nodes = levels[level] ?? [];
    const full = nodes.length - (nodes.length % width);
    levels[level + 1] = [];
    for (let start = 0; start < full; start += width) {
      levels[level + 1]?.push(hash(Buffer.concat(nodes.slice(start, start + width))));
    }
    levels[level] = nodes.slice(full);
  }
  for (let level = 0; level < levels.length - 1; level++) {
    const nodes = levels[level] ?? [];
    const [first] = nodes;
    if (first !== undefined) levels[level + 1]?.push(nodes.length === 1 ? first : hash(Buffer.concat(nodes)));
  }
  const top = levels.at(-1) ?? [];
  if (top.length > maxDegree)
    return { level: levels.length + 1, hashes: [hash(Buffer.concat(top)).toString('base64')] };
  return { level: levels.length, hashes: top.map((node) => node.toString('base64')) };
}
