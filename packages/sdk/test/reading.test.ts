import { cidOfRaw, contentDigest, encodeCbor, WaymarkError } from '@waymark/protocol';
import { cidOf } from '@waymark/content';
import { createReadAhead } from '../src/content/content-reader.ts';
import { type TraceAnswer, type TraceOutcome, type Tracing } from '../src/trace/trace.ts';
import { compareRecords } from '../src/trace/trace-file.ts';
import { testRecord } from './test-outlet.ts';

const record = (index: number) => ({ revision: 0, businessIds: [], ...testRecord(index) });

/** Answers by event id, as an outlet's index and store would. */
function tracingOf(outcomeOf: (eventId: string) => TraceOutcome, pages: number[] = []): Tracing {
  return {
    trusted: () => Promise.reject(new Error('not asked here')),
    fast: () => Promise.reject(new Error('not asked here')),
    trustedPage: (queries) => {
      pages.push(queries.length);
      return Promise.resolve(queries.map((query) => outcomeOf('eventId' in query ? query.eventId : '')));
    },
  };
}

function answer(index: number, revision = 0, payload = testRecord(index).payload): TraceOutcome {
  const content = { eventId: `event-${index}`, revision, schema: 'test/v1', businessIds: [], payload };
  const { recordOid, evidenceId, cid, collectedMs } = { recordOid: '', evidenceId: '', cid: '', collectedMs: 0 };
  const found: TraceAnswer = {
    trust: 'anchored',
    attestedBy: ['Org1MSP'],
    records: [{ trust: 'unverified', recordOid, evidenceId, cid, content, collectedMs }],
    more: false,
  };
  return { answer: found };
}

test('records are asked for in pages of 500, and every one that came back equal is counted', async () => {
  const pages: number[] = [];
  const records = Array.from({ length: 1_203 }, (_, index) => record(index));
  const summary = await compareRecords(
    tracingOf((eventId) => answer(Number(eventId.slice('event-'.length))), pages),
    records,
  );
  expect(pages).toEqual([500, 500, 203]);
  expect(summary).toMatchObject({ asked: 1_203, matched: 1_203, trust: 'anchored', attestedBy: ['Org1MSP'] });
});

test('what did not come back, or came back with other content or revision, is counted by its code', async () => {
  const outcomes: Readonly<Record<string, TraceOutcome>> = {
    'event-0': answer(0),
    'event-1': answer(1, 0, { index: 'another' }),
    'event-2': answer(2, 1),
    'event-3': { error: new WaymarkError('data-abnormal', 'altered') },
  };
  const summary = await compareRecords(
    tracingOf((eventId) => outcomes[eventId] ?? { error: new WaymarkError('internal', 'unexpected') }),
    [0, 1, 2, 3].map(record),
  );
  expect(summary).toMatchObject({
    asked: 4,
    matched: 1,
    failed: { conflict: 1, refused: 1, 'data-abnormal': 1 },
    unmatched: [
      { index: 1, eventId: 'event-1', code: 'conflict' },
      { index: 2, code: 'refused' },
      { index: 3, code: 'data-abnormal' },
    ],
  });
  expect(contentDigest({ index: 'another' })).not.toBe(contentDigest({ index: 1 }));
});

describe('reading ahead', () => {
  const envelopes = [1, 2, 3].map((byte) => Uint8Array.of(byte));
  const cids = envelopes.map(cidOfRaw);
  const rootBytes = encodeCbor({ v: 1 });
  const root = cidOf('dag-cbor', rootBytes);

  function source(readAll: boolean) {
    const gets: string[] = [];
    return {
      gets,
      get: (cid: { toString(): string }) => {
        gets.push(cid.toString());
        const at = cids.findIndex((known) => known.toString() === cid.toString());
        if (at === 1) return Promise.reject(new WaymarkError('data-abnormal', 'altered'));
        return Promise.resolve(envelopes[at] ?? rootBytes);
      },
      async *readDag() {
        yield await Promise.resolve({ cid: root, bytes: rootBytes });
        for (const [at, cid] of cids.entries()) {
          if (at === 1 && !readAll) throw new WaymarkError('data-abnormal', 'altered');
          yield { cid, bytes: envelopes[at] ?? rootBytes };
        }
      },
    };
  }

  test('the envelopes of a batch come with it, in one request', async () => {
    const from = source(true);
    const reader = createReadAhead(from);
    expect(await reader.get(root)).toEqual(rootBytes);
    for (const [at, cid] of cids.entries()) expect(await reader.get(cid)).toEqual(envelopes[at]);
    expect(from.gets).toEqual([]);
  });

  test('one altered envelope keeps neither the batch nor the others from being read, and has its own error', async () => {
    const reader = createReadAhead(source(false));
    expect(await reader.get(root)).toEqual(rootBytes);
    const outcomes = await Promise.allSettled(cids.map((cid) => reader.get(cid)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'data-abnormal' } });
  });
});
