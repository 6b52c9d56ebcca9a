import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordMessage, SubmitRequest, SubmitResponse } from '@waymark/transport';
import { consignmentKeys, outletIds, tokens } from '@waymark/vault';
import { openOutbox, type Outbox } from '../src/outbox/outbox.ts';
import { createProgress, type Progress } from '../src/sealing/progress.ts';
import { createSealer, type Sealer } from '../src/sealing/sealer.ts';
import { createSubmitHandler } from '../src/submit/submit-server.ts';
import { hashOf } from './harness/queued-batch.ts';

let folder: string;
let outbox: Outbox;
let progress: Progress;
let sealer: Sealer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rejected-'));
  outbox = openOutbox(join(folder, 'outbox.db'));
  progress = createProgress(outbox);
  const secret = (): ReturnType<typeof createSecretKey> => createSecretKey(randomBytes(32));
  sealer = createSealer({
    outlet: 'depot',
    outbox,
    ids: outletIds(secret(), { channel: 'waymark', msp: 'NorthMSP', outlet: 'depot' }),
    tokens: tokens(secret(), 'NorthMSP'),
    keys: consignmentKeys({
      channel: 'waymark',
      msp: 'NorthMSP',
      wrap: { wrapLocal: (key) => key, unwrapLocal: (key) => key },
      table: outbox.keyTable,
    }),
    limits: { maxRecords: 10, maxBytes: 1_000_000, lingerMs: 60_000, maxQueuedBatches: 10, collectionSkewMs: 120_000 },
    centerIsRecipient: false,
    nowMs: () => Date.UTC(2026, 2, 1, 12),
    onQueued: () => undefined,
  });
});

afterEach(() => {
  sealer.stop();
  outbox.close();
  rmSync(folder, { recursive: true });
});

/** A client's stream: what it sends, what it was told, and when it has ended. */
interface Client {
  submit(...records: RecordMessage[]): void;
  readonly told: readonly string[];
  heard(count: number): Promise<void>;
  finish(): Promise<void>;
  vanish(): Promise<void>;
}

function record(ref: number, eventId: string, content = eventId): RecordMessage {
  return {
    ref,
    eventId,
    revision: 0,
    consignment: 'order-1',
    schema: 's',
    collectionTime: '2026-03-01T11:00:00Z',
    businessIds: [],
    payloadJson: Buffer.from(JSON.stringify({ content })),
  };
}

function connect(): Client {
  const told: string[] = [];
  const gone = new AbortController();
  const requests: SubmitRequest[] = [];
  const end = { reached: false };
  let wake = Promise.withResolvers<undefined>();
  let answered = Promise.withResolvers<undefined>();
  const handler = createSubmitHandler({
    msp: 'NorthMSP',
    outlet: 'depot',
    sealer,
    progress,
    onRejectionTold: (place) => outbox.tellRejection(place),
    authorize: () => undefined,
    maxOpenRecords: 1_000,
  });
  const sent = (async function* () {
    for (;;) {
      const next = requests.shift();
      if (next !== undefined) yield next;
      else if (end.reached) return;
      else {
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  })();
  const responses = {
    write({ receipts, failures }: SubmitResponse): Promise<void> {
      for (const { ref, state, blockHeight } of receipts)
        told.push(`${String(ref)} ${state}${blockHeight === undefined ? '' : ` in ${String(blockHeight)}`}`);
      for (const { ref, failure } of failures)
        told.push(`${String(ref)} ${String(failure?.code)} ${String(failure?.reason)}`);
      answered.resolve(undefined);
      answered = Promise.withResolvers();
      return Promise.resolve();
    },
  };
  const context = { signal: gone.signal } as Parameters<typeof handler>[2];
  const running = handler(sent, responses, context);
  running.catch(() => undefined);
  return {
    told,
    submit(...records) {
      requests.push({ records, flush: false });
      wake.resolve(undefined);
    },
    async heard(count) {
      while (told.length < count) await answered.promise;
    },
    finish: () => {
      end.reached = true;
      wake.resolve(undefined);
      return running;
    },
    vanish: async () => {
      gone.abort();
      end.reached = true;
      wake.resolve(undefined);
      await running.catch(() => undefined);
    },
  };
}

/** The batch that waits is sealed and accepted; returns its id. */
async function accept(): Promise<number> {
  while (outbox.queuedCount() === 0) {
    sealer.flush();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [batch] = outbox.queuedAfter(0, 1);
  const id = batch?.id ?? 0;
  outbox.stamp(id, { statement: hashOf('s'), signature: hashOf('g'), batchHash: hashOf(`h ${String(id)}`) });
  outbox.markAccepted(id, Buffer.from('r'), Buffer.from('l'));
  progress.changed(id);
  return id;
}

function confirm(batch: number, rejected: Readonly<Record<number, string>> = {}): void {
  const reasons = new Map(Object.entries(rejected).map(([leaf, reason]) => [Number(leaf), reason]));
  outbox.markConfirmed(batch, { receipt: Buffer.from('r'), height: batch + 10, blockHash: 'cid', rejected: reasons });
  progress.changed(batch);
}

function anchor(batch: number): void {
  outbox.markAnchored(batch, Buffer.from('r'), 'tx');
  progress.changed(batch);
}

test('who submits a record that the audit rejects is told why; the others of the batch go on', async () => {
  const client = connect();
  client.submit(record(1, 'a'), record(2, 'b'), record(3, 'c'));
  const batch = await accept();
  await client.heard(3);
  confirm(batch, { 1: 'schema' });
  await client.heard(6);
  anchor(batch);
  await client.finish();
  expect(client.told.slice(0, 3)).toEqual(['1 accepted', '2 accepted', '3 accepted']);
  expect(client.told.slice(3, 6).toSorted()).toEqual([
    '1 confirmed in 11',
    '2 audit-rejected schema',
    '3 confirmed in 11',
  ]);
  expect(client.told.slice(6)).toEqual(['1 anchored in 11', '3 anchored in 11']);
});

test('a rejected record is taken again under the same id, corrected; the old content is no conflict any more', async () => {
  const client = connect();
  client.submit(record(1, 'a'));
  confirm(await accept(), { 0: 'schema' });
  await client.finish();
  const second = connect();
  second.submit(record(1, 'a', 'corrected'));
  const batch = await accept();
  expect(batch).toBe(2);
  confirm(batch);
  anchor(batch);
  await second.finish();
  expect(second.told).toEqual(['1 accepted', '1 confirmed in 12', '1 anchored in 12']);
});

test('who was not there when a record was rejected hears of it on handing it in again; after that it is tried anew', async () => {
  const gone = connect();
  gone.submit(record(1, 'a'), record(2, 'b'));
  const batch = await accept();
  await gone.vanish();
  confirm(batch, { 0: 'times' });
  anchor(batch);
  const back = connect();
  back.submit(record(7, 'a'), record(8, 'b'));
  await back.heard(2);
  expect(back.told.toSorted()).toEqual(['7 audit-rejected times', '8 anchored in 11']);
  back.submit(record(9, 'a'));
  const again = await accept();
  expect(again).toBe(2);
  confirm(again);
  anchor(again);
  await back.finish();
  expect(back.told.slice(2)).toEqual(['9 accepted', '9 confirmed in 12', '9 anchored in 12']);
});

test('a record that is handed in twice while its batch is on the way gets each outcome twice, also a rejection', async () => {
  const first = connect();
  first.submit(record(1, 'a'));
  const batch = await accept();
  await first.heard(1);
  const second = connect();
  second.submit(record(2, 'a'));
  await second.heard(1);
  first.submit(record(3, 'a'));
  await first.heard(2);
  confirm(batch, { 0: 'duplicate' });
  await Promise.all([first.finish(), second.finish()]);
  expect(first.told).toEqual(['1 accepted', '3 accepted', '1 audit-rejected duplicate', '3 audit-rejected duplicate']);
  expect(second.told).toEqual(['2 accepted', '2 audit-rejected duplicate']);
});
