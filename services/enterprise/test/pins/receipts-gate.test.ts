import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evidence } from '@waymark/protocol';
import { type Journal, type JournalBatch, openJournal } from '../../src/journal/journal.ts';
import { createRelay, type Relay } from '../../src/relay/relay.ts';
import { acceptedBatch } from '../harness/accepted-batch.ts';

let folder: string;
let journal: Journal;
let relay: Relay;
let committed: Map<string, { batchHash: string; txId: string }>;
let calls: string[][];
let looked: number;
const free = new Set<string>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-'));
  journal = openJournal(join(folder, 'journal.db'));
  committed = new Map();
  calls = [];
  looked = 0;
  free.clear();
  relay = createRelay({
    journal,
    ledger: {
      record: (batches: readonly Evidence[]) => {
        calls.push(batches.map(({ outlet, seq }) => `${outlet}/${String(seq)}`));
        for (const { msp, outlet, seq, batchHash } of batches)
          committed.set(`${msp}/${outlet}/${String(seq)}`, { batchHash, txId: 'tx' });
        return Promise.resolve({ txId: 'tx', blockNumber: 1n });
      },
    },
    replica: { waitForBlock: () => Promise.resolve(), committed: (id) => committed.get(id) },
    isRegistered: () => true,
    mayAnchor: (batches: readonly JournalBatch[]) => {
      looked += 1;
      return batches.filter(({ cid }) => free.has(cid));
    },
    signReceipt: () => new Uint8Array(0),
    onOutcome: () => undefined,
    onRetry: () => undefined,
    delay: () => new Promise((resolve) => setImmediate(resolve)),
  });
});

afterEach(async () => {
  await relay.stop();
  journal.close();
  rmSync(folder, { recursive: true });
});

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('nothing goes to the channel before it may, nobody asks in circles, and what may go does not wait for the rest', async () => {
  journal.accept([acceptedBatch('depot', 1), acceptedBatch('yard', 1), acceptedBatch('yard', 2)]);
  relay.start();
  await turns();
  expect([calls, looked]).toEqual([[], 1]);
  free.add('cid-yard-1');
  relay.wake();
  await turns();
  expect(calls).toEqual([['yard/1']]);
  free.add('cid-depot-1').add('cid-yard-2');
  relay.wake();
  await turns();
  expect(calls.slice(1).flat().sort()).toEqual(['depot/1', 'yard/2']);
  expect(journal.pendingCount()).toBe(0);
});

test('a batch that the channel has already is anchored without leave', async () => {
  const batch = acceptedBatch('depot', 1);
  journal.accept([batch]);
  committed.set('NorthMSP/depot/1', { batchHash: batch.evidence.batchHash, txId: 'tx-0' });
  relay.start();
  await turns();
  expect([calls, journal.batch('depot', 1)?.state]).toEqual([[], 'anchored']);
});

test('batches far behind those that wait are found', async () => {
  journal.accept(Array.from({ length: 100 }, (_, index) => acceptedBatch('depot', index + 1)));
  journal.accept([acceptedBatch('yard', 1, 1_000)]);
  free.add('cid-yard-1');
  relay.start();
  await turns();
  expect(calls).toEqual([['yard/1']]);
});
