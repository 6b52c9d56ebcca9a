import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { consignmentKeys, outletIds, tokens } from '@waymark/vault';
import { openOutbox, type Outbox } from '../src/outbox/outbox.ts';
import { createSealer, type Sealer } from '../src/sealing/sealer.ts';

const nowMs = Date.UTC(2026, 2, 1, 12);
let folder: string;
let outbox: Outbox;
let sealer: Sealer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealer-'));
  outbox = openOutbox(join(folder, 'outbox.db'));
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
    nowMs: () => nowMs,
    onQueued: () => undefined,
  });
});

afterEach(() => {
  sealer.stop();
  outbox.close();
  rmSync(folder, { recursive: true });
});

const record = (eventId: string, collectionTime: string): unknown => ({
  eventId,
  consignment: 'order-1',
  schema: 's',
  collectionTime,
  payload: { eventId },
});

/** Records whose consignment is new wait for its key. */
const taken = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

test('a record from the future is refused alone: those that share its batch are not refused with it', async () => {
  const good = sealer.add(record('good', '2026-03-01T12:00:00Z'));
  const slightlyAhead = sealer.add(record('ahead', '2026-03-01T12:01:59Z'));
  await expect(sealer.add(record('future', '2999-01-01T00:00:00Z'))).rejects.toMatchObject({
    code: 'input-invalid',
    details: { place: '/collectionTime' },
  });
  await taken();
  sealer.flush();
  expect([(await good).batch, (await slightlyAhead).batch]).toEqual([1, 1]);
  expect(outbox.queuedAfter(0, 10).map(({ body }) => body.records.length)).toEqual([2]);
});

test('the oldest and the newest time of a batch are those of its records', async () => {
  const times = ['0001-01-01T00:00:00Z', '2026-03-01T11:00:00Z', '1969-07-20T20:17:40Z'];
  const added = times.map((time, index) => sealer.add(record(`event-${String(index)}`, time)));
  await taken();
  sealer.flush();
  await Promise.all(added);
  const [batch] = outbox.queuedAfter(0, 1);
  expect(new Date(batch?.body.collectedFromMs ?? 0).toISOString()).toBe('0001-01-01T00:00:00.000Z');
  expect(new Date(batch?.body.collectedToMs ?? 0).toISOString()).toBe('2026-03-01T11:00:00.000Z');
});
