import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockBytesOf } from '@waymark/network';
import { addProcessorTimes, diskBytesOf, processorTimeBetween } from '../bench/consumption.ts';
import { measureRawOnChain } from '../bench/raw-on-chain.ts';
import { recordSource } from '../bench/records.ts';
import { createSample, rateOf } from '../bench/side.ts';
import { lowerQuartile, median, quantile, rounded, spreadOf } from '../bench/statistics.ts';
import { forPeople, formatTable } from '../bench/table.ts';

describe('statistics', () => {
  test('the median of an odd count is the middle value, of an even count the mean of the middle two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test('the lower quartile lies a quarter of the way, linear between neighbours', () => {
    expect(lowerQuartile([1, 2, 3, 4, 5])).toBe(2);
    expect(lowerQuartile([4, 3, 2, 1])).toBe(1.75);
  });

  test('one value is its own median, quartile and extreme', () => {
    expect(spreadOf([7])).toEqual({ median: 7, lowerQuartile: 7, min: 7, max: 7 });
  });

  test('no values have no quantile, and the values given stay as they were', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
    expect(median([])).toBeNaN();
  });

  test('figures for machines are cut to significant digits', () => {
    expect([rounded(1234.5678), rounded(0.00123456)]).toEqual([1234.6, 0.0012346]);
  });
});

describe('tables', () => {
  test('columns are as wide as their widest cell, figures to the right', () => {
    expect(
      formatTable([
        ['name', 'x'],
        ['a', '1'],
        ['long name', '22'],
      ]),
    ).toBe(['name        x', '---------  --', 'a           1', 'long name  22'].join('\n'));
  });

  test('figures for people have about four digits', () => {
    expect([12_345.6, 45.67, 1.234].map(forPeople)).toEqual(['12,346', '45.7', '1.23']);
  });
});

describe('records', () => {
  test('the same seed and name give the same records; payloads are about 1 KB; ten make a consignment', () => {
    const [one, other] = [recordSource(7, 'n'), recordSource(7, 'n')];
    const records = Array.from({ length: 100 }, () => one.next());
    expect(records).toEqual(Array.from({ length: 100 }, () => other.next()));
    expect(new Set(records.map(({ eventId }) => eventId)).size).toBe(100);
    expect(new Set(records.map(({ consignment }) => consignment)).size).toBe(10);
    for (const { payload } of records) {
      expect(Math.abs(JSON.stringify(payload).length - 1_000)).toBeLessThan(100);
    }
  });

  test('a sample keeps what it is offered until it is full, then as many', () => {
    const sample = createSample<number>(3, () => 0);
    for (const item of [1, 2, 3, 4]) sample.offer(item);
    expect(sample.items).toEqual([4, 2, 3]);
  });

  test('a rate counts records over the time until the last was done', () => {
    expect(rateOf({ records: 500, failed: 0, tookMs: 2_000 })).toBe(250);
  });
});

describe('what was used', () => {
  test('processor time is a difference by name, and names are summed', () => {
    const used = processorTimeBetween(
      new Map([['a', 1]]),
      new Map([
        ['a', 3],
        ['b', 1],
      ]),
    );
    expect(used).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    expect(addProcessorTimes([used, used]).get('a')).toBe(4);
  });

  test("bytes on the chain are those of one peer's block files, and nothing else", async () => {
    const dir = await mkdtemp(join(tmpdir(), 'waymark-block-bytes-'));
    try {
      for (const peer of ['leader', 'depot']) {
        const blocks = join(dir, 'ledgers', `${peer}.one.example`, 'blocks');
        await mkdir(blocks, { recursive: true });
        await writeFile(join(blocks, 'blockfile_000000'), Buffer.alloc(100));
        await writeFile(join(blocks, 'blockfile_000001'), Buffer.alloc(11));
        await writeFile(join(blocks, 'something'), Buffer.alloc(1_000));
      }
      expect(await blockBytesOf(join(dir, 'ledgers', 'leader.one.example', 'blocks'))).toBe(111);
      expect(await diskBytesOf(join(dir, 'ledgers'))).toBe(2 * 1_111);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('raw data is measured on a sample of 100 records or more', async () => {
    await expect(measureRawOnChain([new Uint8Array(1)])).rejects.toThrow('at least 100');
  });
});

describe('the command', () => {
  test.each([
    [['nonsense'], 'there is no benchmark "nonsense"'],
    [[], 'no benchmark is named'],
    [['submit', '--rounds', 'many'], '--rounds takes a whole number'],
    [['submit', '--fast'], "Unknown option '--fast'"],
  ])('wrong usage %j is said clearly and ends with 2', async (args, reason) => {
    const { code, stdout, stderr } = await bench(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).toContain('benchmarks: devnet, submit, rsl-core');
  });
});

async function bench(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const script = join(import.meta.dirname, '..', 'bench.ts');
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}
