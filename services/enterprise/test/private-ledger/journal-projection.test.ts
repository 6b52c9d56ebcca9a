import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommittedAnchor } from '@waymark/service-kit';
import type { SealedBlock } from '@waymark/rsl';
import { createTestLedger, msp, type TestLedger } from '../../../../packages/ledger-chain/test/support/test-ledger.ts';
import { type ConfirmedBatch, type Journal, openJournal } from '../../src/journal/journal.ts';
import { confirmedBatches } from '../../src/private-ledger/confirmed-batches.ts';
import { createJournalProjection } from '../../src/private-ledger/journal-projection.ts';

let ledger: TestLedger;
let folder: string;
let journal: Journal;

beforeAll(async () => {
  ledger = await createTestLedger();
  ledger.submit('outlet-1', 3, [1]);
  ledger.submit('outlet-2', 2);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'projection-'));
  journal = openJournal(join(folder, 'journal.db'));
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

const oid = (index: number): Uint8Array => Buffer.from(ledger.oids[index] ?? '', 'hex');
const anchor = (first: number, last: number): CommittedAnchor =>
  ({ msp, first, last, txId: `tx-${String(last)}` }) as CommittedAnchor;

function projection(options: { height?: number; anchors?: CommittedAnchor[] } = {}) {
  const confirmed: ConfirmedBatch[] = [];
  const anchored: { outlet: string; seq: number }[] = [];
  const listeners: ((one: CommittedAnchor) => void)[] = [];
  const anchors = options.anchors ?? [];
  const faults: unknown[] = [];
  const made = createJournalProjection({
    msp,
    journal,
    chain: {
      height: options.height ?? 0,
      block: (height) => {
        const block = ledger.blocks[height - 1] as SealedBlock;
        return Promise.resolve({ ...block, height, header: block.seal.header });
      },
    },
    replica: {
      anchorCovering: (_msp, height) => anchors.find(({ first, last }) => first <= height && height <= last),
      onAnchor: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    onConfirmed: (batches) => confirmed.push(...batches),
    onAnchored: (batches) => anchored.push(...batches),
    onFault: (error) => faults.push(error),
  });
  return {
    made,
    confirmed,
    anchored,
    faults,
    anchor(one: CommittedAnchor): void {
      anchors.push(one);
      for (const listener of listeners) listener(one);
    },
  };
}

test('every center takes the same batches from a block, with what the audit rejected', () => {
  const batches = ledger.blocks.flatMap(confirmedBatches);
  expect(batches.map(({ outlet, seq, records }) => [outlet, seq, records.length])).toEqual([
    ['outlet-1', 1, 3],
    ['outlet-2', 1, 2],
  ]);
  expect(batches[0]?.place.rejected).toEqual([{ index: 1, reason: 'schema-invalid' }]);
  expect(ledger.blocks.flatMap((block) => confirmedBatches(structuredClone(block)))).toEqual(batches);
});

test('a journal that is behind its chain catches up from the disk, and from then on follows', async () => {
  const behind = projection({ height: 2 });
  await behind.made.start();
  await behind.made.stop();
  expect(journal.projectedHeight()).toBe(2);
  const { made, confirmed, faults } = projection({ height: 2 });
  await made.start();
  await made.stop();
  expect(confirmed).toEqual([]);
  made.applied(ledger.blocks.slice(2));
  expect(journal.projectedHeight()).toBe(ledger.blocks.length);
  expect(confirmed.length + behind.confirmed.length).toBe(2);
  expect(journal.findByOid(oid(0))).toMatchObject({ outlet: 'outlet-1', leafIndex: 0 });
  expect(journal.findByOid(oid(1))).toBeUndefined();
  expect(journal.findByOid(oid(3))).toMatchObject({ outlet: 'outlet-2' });
  expect(faults).toEqual([]);
});

test('what an anchor covers is anchored, whether it was heard of before or after the block', async () => {
  const projected = projection({ anchors: [anchor(1, 2)] });
  const { made, anchored } = projected;
  await made.start();
  await made.stop();
  made.applied(ledger.blocks);
  const early = [...anchored];
  projected.anchor(anchor(3, ledger.blocks.length));
  expect(anchored).toEqual([
    { outlet: 'outlet-1', seq: 1 },
    { outlet: 'outlet-2', seq: 1 },
  ]);
  expect(early.length).toBeLessThan(2);
  expect(journal.counts()).toMatchObject({ confirmed: 0, anchored: 2 });
});

test('blocks that are told twice are taken once', async () => {
  const { made, confirmed } = projection();
  await made.start();
  await made.stop();
  made.applied(ledger.blocks);
  made.applied(ledger.blocks);
  expect(confirmed).toHaveLength(2);
});
