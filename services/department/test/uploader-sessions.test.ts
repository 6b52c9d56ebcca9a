import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { WaymarkError } from '@waymark/protocol';
import { createOrganisationCa } from '@waymark/testing/consortium';
import type { BatchReceipt } from '@waymark/transport';
import { type ConsignmentKeys, signingIdentityFromPem } from '@waymark/vault';
import { openOutbox } from '../src/outbox/outbox.ts';
import { createUploader } from '../src/upload/uploader.ts';
import { fakeCenter } from './harness/fake-center.ts';
import { newBatch } from './harness/queued-batch.ts';

test('the sender of a connection that broke sends nothing any more, and signs nothing, when the next batch comes', async () => {
  const ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  const identity = signingIdentityFromPem(await ca.issue({ enrolmentId: 'depot', role: 'client' }));
  const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  const outbox = openOutbox(join(folder, 'outbox.db'));
  const sentBy: number[] = [];
  const breaks: (() => void)[] = [];
  const center = fakeCenter(identity, () => 0);
  const uploader = createUploader({
    channel: 'waymark',
    identity,
    outbox,
    keys: {} as ConsignmentKeys,
    centers: {
      ...center,
      inOffice: async () => ({
        ...(await center.inOffice()),
        openUpload() {
          const session = breaks.length;
          const broken = Promise.withResolvers<never>();
          breaks.push(() => broken.reject(new WaymarkError('unavailable', 'the connection broke')));
          return {
            write: () => {
              sentBy.push(session);
              return Promise.resolve();
            },
            responses: (async function* (): AsyncGenerator<BatchReceipt> {
              yield await broken.promise;
            })(),
            finish: () => undefined,
            cancel: () => breaks[session]?.(),
          };
        },
      }),
    },
    checkCenter: () => undefined,
    nowMs: () => 0,
    maxStampAgeMs: 120_000,
    transactionOf: () => undefined,
    onChanged: () => undefined,
    onRetry: () => undefined,
    delay: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const untilSessions = async (count: number): Promise<void> => {
    while (breaks.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  uploader.start();
  for (const sessions of [1, 2, 3]) {
    await untilSessions(sessions);
    breaks[sessions - 1]?.();
  }
  await untilSessions(4);
  outbox.queue(newBatch('a'));
  uploader.wake();
  while (sentBy.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  await uploader.stop();
  outbox.close();
  rmSync(folder, { recursive: true });
  expect(sentBy).toEqual([3]);
});
