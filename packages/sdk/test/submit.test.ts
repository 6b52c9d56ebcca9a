import { WaymarkError } from '@waymark/protocol';
import { connect, type SubmitResult, type Waymark } from '../src/index.ts';
import { answering, receiptFor, startTestOutlet, type TestOutlet, testRecord, testRecords } from './test-outlet.ts';

let outlet: TestOutlet;
let waymark: Waymark;

beforeEach(async () => {
  outlet = await startTestOutlet();
  waymark = connect(outlet.profileFile);
});
afterEach(async () => {
  await waymark.close();
  await outlet.close();
});

async function collect(results: AsyncIterable<SubmitResult>): Promise<SubmitResult[]> {
  const all: SubmitResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

test('every record gets its receipt, and each knows its place in the input', async () => {
  const results = await collect(waymark.submit(testRecords(3_000)));
  expect(results.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual([...Array(3_000).keys()]);
  expect(results.every((result) => 'receipt' in result && result.receipt.state === 'anchored')).toBe(true);
  expect(results.every(({ index, eventId }) => eventId === `event-${index}`)).toBe(true);
});

test('an accepted record is done when the caller waits for "accepted", and is not when it waits for "anchored"', async () => {
  const states: string[] = [];
  const anchor = Promise.withResolvers<undefined>();
  outlet.handler = async (requests, responses) => {
    for await (const { records } of requests) {
      await responses.write({ receipts: records.map((record) => receiptFor(record, 'accepted')), failures: [] });
      await anchor.promise;
      await responses.write({ receipts: records.map((record) => receiptFor(record, 'anchored')), failures: [] });
    }
  };
  const accepted = await waymark.submitOne(testRecord(1), { until: 'accepted' });
  expect(accepted.state).toBe('accepted');
  const anchored = waymark.submitOne(testRecord(1), { until: 'anchored' }).then(({ state }) => states.push(state));
  anchor.resolve(undefined);
  await anchored;
  expect(states).toEqual(['anchored']);
});

test('a record goes through accepted, confirmed and anchored, and is done where the caller wants; progress tells all three', async () => {
  outlet.handler = async (requests, responses) => {
    for await (const { records } of requests) {
      for (const state of ['accepted', 'accepted', 'confirmed', 'anchored']) {
        const block = state === 'accepted' ? {} : { blockHeight: 7 };
        await responses.write({
          receipts: records.map((record) => ({ ...receiptFor(record, state), ...block })),
          failures: [],
        });
      }
    }
  };
  const confirmed = await waymark.submitOne(testRecord(1), { until: 'confirmed' });
  expect(confirmed).toMatchObject({ state: 'confirmed', blockHeight: 7 });
  const seen: unknown[] = [];
  const results = await collect(
    waymark.submit([testRecord(1)], {
      onProgress: ({ done, reached }) => seen.push([done, ...Object.values(reached)]),
    }),
  );
  expect(results).toMatchObject([{ receipt: { state: 'anchored', blockHeight: 7 } }]);
  expect(seen).toEqual([
    [0, 1, 0, 0],
    [0, 1, 0, 0],
    [0, 1, 1, 0],
    [1, 1, 1, 1],
  ]);
});

test('without a private ledger a record that is anchored is done for who waits for "confirmed"', async () => {
  outlet.handler = answering(() => 'anchored');
  const reached: unknown[] = [];
  const { state } = await waymark.submitOne(testRecord(1), {
    until: 'confirmed',
    onProgress: (progress) => reached.push(progress.reached),
  });
  expect(state).toBe('anchored');
  expect(reached.at(-1)).toEqual({ accepted: 1, confirmed: 0, anchored: 1 });
});

test('a record that the audit rejects fails with the reason, and counts in no state any more', async () => {
  const reached: unknown[] = [];
  outlet.handler = async (requests, responses) => {
    for await (const { records } of requests) {
      await responses.write({ receipts: records.map((record) => receiptFor(record, 'accepted')), failures: [] });
      const failure = { code: 'audit-rejected', message: 'no', reason: 'schema' };
      await responses.write({ receipts: [], failures: records.map(({ ref }) => ({ ref, failure })) });
    }
  };
  const rejected = waymark.submitOne(testRecord(1), { onProgress: (progress) => reached.push(progress.reached) });
  await expect(rejected).rejects.toMatchObject({ code: 'audit-rejected', details: { reason: 'schema' } });
  expect(reached.at(-1)).toEqual({ accepted: 0, confirmed: 0, anchored: 0 });
});

test('a record that fails has a typed error, and the others are served', async () => {
  outlet.handler = answering(({ eventId }) => (eventId === 'event-1' ? 'conflict' : 'anchored'));
  const input = [testRecord(0), testRecord(1), { ...testRecord(2), eventId: '' }, testRecord(3)];
  const results = (await collect(waymark.submit(input))).toSorted((a, b) => a.index - b.index);
  expect(results.map((result) => ('error' in result ? result.error.code : result.receipt.state))).toEqual([
    'anchored',
    'conflict',
    'input-invalid',
    'anchored',
  ]);
  await expect(waymark.submitOne(testRecord(1))).rejects.toMatchObject({ code: 'conflict' });
});

test('a record without the required form never reaches the outlet', async () => {
  const seen: string[] = [];
  outlet.handler = answering(
    () => 'anchored',
    ({ eventId }) => seen.push(eventId),
  );
  await collect(waymark.submit([{ ...testRecord(7), collectionTime: 'yesterday' }, testRecord(8)]));
  expect(seen).toEqual(['event-8']);
});

test('after a broken stream only what has no receipt is sent again, and each record is reported once', async () => {
  const sent: string[][] = [];
  outlet.handler = async (requests, responses) => {
    const seen: string[] = [];
    sent.push(seen);
    for await (const { records } of requests) {
      seen.push(...records.map(({ eventId }) => eventId));
      const half = sent.length === 1 ? records.slice(0, Math.floor(records.length / 2)) : records;
      await responses.write({ receipts: half.map((record) => receiptFor(record, 'anchored')), failures: [] });
      if (sent.length === 1) throw new WaymarkError('unavailable', 'breaks off');
    }
  };
  const results = await collect(waymark.submit(testRecords(2_500)));
  expect(results).toHaveLength(2_500);
  expect(new Set(results.map(({ index }) => index)).size).toBe(2_500);
  expect(sent).toHaveLength(2);
  expect(sent[1]).not.toContain('event-0');
  expect(new Set(sent.flat()).size).toBe(2_500);
});

test('an outlet that ends the stream too early is asked again; one that never answers is unavailable in the end', async () => {
  let streams = 0;
  outlet.handler = () => {
    streams += 1;
    return Promise.resolve();
  };
  const results = collect(waymark.submit(testRecords(3), { maxReconnects: 2 }));
  await expect(results).rejects.toMatchObject({ code: 'unavailable' });
  expect(streams).toBe(3);
});

test('a refusal of the caller ends the submission at once', async () => {
  let streams = 0;
  outlet.handler = () => {
    streams += 1;
    return Promise.reject(new WaymarkError('role-not-permitted', 'not you'));
  };
  await expect(collect(waymark.submit(testRecords(3)))).rejects.toMatchObject({ code: 'role-not-permitted' });
  expect(streams).toBe(1);
});

test('the input is read no further than maxInFlight ahead of the receipts', async () => {
  let read = 0;
  let received = 0;
  let mostAhead = 0;
  function* records(): Generator<ReturnType<typeof testRecord>> {
    for (let index = 0; index < 2_000; index += 1) {
      read += 1;
      mostAhead = Math.max(mostAhead, read - received);
      yield testRecord(index);
    }
  }
  for await (const result of waymark.submit(records(), { maxInFlight: 100 })) {
    if ('receipt' in result) received += 1;
  }
  expect(received).toBe(2_000);
  expect(mostAhead).toBeLessThanOrEqual(101);
});

test('a record is sent although the next one is not there yet', async () => {
  const more = Promise.withResolvers<undefined>();
  async function* records(): AsyncGenerator<ReturnType<typeof testRecord>> {
    yield testRecord(0);
    await more.promise;
    yield testRecord(1);
  }
  const results = waymark.submit(records());
  const first = await results.next();
  expect(first.value).toMatchObject({ index: 0, receipt: { state: 'anchored' } });
  more.resolve(undefined);
  expect((await results.next()).value).toMatchObject({ index: 1 });
  expect((await results.next()).done).toBe(true);
});

test('an aborted submission ends with the reason of the signal', async () => {
  outlet.handler = answering(() => '');
  const abort = new AbortController();
  const results = collect(waymark.submit(testRecords(5), { signal: abort.signal }));
  abort.abort(new Error('enough'));
  await expect(results).rejects.toThrow('enough');
});

test('a fault of the input ends the submission with that fault', async () => {
  function* records(): Generator<ReturnType<typeof testRecord>> {
    yield testRecord(0);
    throw new WaymarkError('input-invalid', 'the file was changed');
  }
  await expect(collect(waymark.submit(records()))).rejects.toMatchObject({ code: 'input-invalid' });
});
