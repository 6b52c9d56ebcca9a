import { cidOfRaw, WaymarkError } from '@waymark/protocol';
import type { BlockReader } from '@waymark/content';
import { reportingReader } from '../src/query/reporting-reader.ts';

const cid = cidOfRaw(Uint8Array.of(1));

function failing(code: 'data-abnormal' | 'unavailable'): BlockReader {
  const fail = (): Promise<never> =>
    Promise.reject(new WaymarkError(code, 'not these bytes', { details: { cid: cid.toString() } }));
  return {
    get: fail,
    getMany: async function* () {
      yield await fail();
    },
    has: () => Promise.resolve(true),
  };
}

test('S7: an altered block is an error to who reads it and is reported, once while the report is under way', async () => {
  const reported: unknown[] = [];
  const report = Promise.withResolvers<boolean>();
  const reader = reportingReader(failing('data-abnormal'), (one) => {
    reported.push(one);
    return report.promise;
  });
  const readAll = async (): Promise<void> => {
    for await (const block of reader.getMany([cid])) expect(block).toBeUndefined();
  };
  await expect(reader.get(cid)).rejects.toMatchObject({ code: 'data-abnormal' });
  await expect(readAll()).rejects.toMatchObject({ code: 'data-abnormal' });
  expect(reported.map(String)).toEqual([cid.toString()]);
  report.reject(new Error('the center is away'));
  await new Promise((resolve) => setImmediate(resolve));
  await expect(reader.get(cid)).rejects.toMatchObject({ code: 'data-abnormal' });
  expect(reported).toHaveLength(2);
});

test('what is only unavailable is not reported', async () => {
  const reported: unknown[] = [];
  const reader = reportingReader(failing('unavailable'), (one) => Promise.resolve(reported.push(one)));
  await expect(reader.get(cid)).rejects.toMatchObject({ code: 'unavailable' });
  expect(reported).toEqual([]);
});
