import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LedgerChain, openLedgerChain } from '@waymark/ledger-chain';
import { createTestLedger, ledgerName, type TestLedger } from '../../ledger-chain/test/support/test-ledger.ts';
import { createBlockReads } from '../src/rest/blocks.ts';

let folder: string;
let ledger: TestLedger;
let chain: LedgerChain;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waymark-blocks-'));
  ledger = await createTestLedger();
  ledger.submit('outlet-1', 4, [1]);
  ledger.submit('outlet-2', 3);
  ledger.submit('outlet-1', 2);
  chain = await openLedgerChain({
    folder: join(folder, 'chain'),
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
  });
  await chain.apply(ledger.blocks);
  const [first, second] = ledger.blocks;
  if (first === undefined || second === undefined) throw new Error('too few blocks');
  chain.markAnchored({ first: 1, last: 2, hash: second.seal.hash, txId: 'a'.repeat(64) });
});
afterAll(async () => {
  await chain.close();
  await rm(folder, { recursive: true, force: true });
});

const heights = (from: number | null, limit: number): number[] =>
  createBlockReads(chain)
    .list(from, limit)
    .blocks.map(({ height }) => height);

test('blocks are listed from a height on, and without one the newest', () => {
  const top = chain.height;
  expect(heights(1, 2)).toEqual([1, 2]);
  expect(heights(null, 2)).toEqual([top - 1, top]);
  expect(heights(top, 10)).toEqual([top]);
  expect(heights(top + 1, 10)).toEqual([]);
  expect(heights(null, 200)).toHaveLength(top);
});

test('a row says who sealed the block, what was in it and which transaction anchored it', () => {
  const { blocks } = createBlockReads(chain).list(1, 200);
  for (const row of blocks) {
    const { seal } = ledger.blocks[row.height - 1] ?? {};
    expect(row).toMatchObject({
      hash: seal?.hash,
      center: seal?.center,
      accepted: seal?.header.accepted,
      rejected: seal?.header.rejected,
      anchorTxId: row.height <= 2 ? 'a'.repeat(64) : null,
    });
  }
});

test('a block is the same by height and by hash; rejected records are named with their reason in words', async () => {
  const reads = createBlockReads(chain);
  const rejecting = reads.list(1, 200).blocks.find(({ rejected }) => rejected > 0);
  const shown = await reads.show(String(rejecting?.height));
  expect(await reads.show(rejecting?.hash ?? '')).toEqual(shown);
  expect(shown.submissions).toMatchObject([{ department: 'outlet-1', seq: 1, records: 4 }]);
  const [rejected] = shown.submissions[0]?.rejected ?? [];
  expect(rejected?.index).toBe(1);
  expect(rejected?.text.length).toBeGreaterThan(10);
  expect(shown.acks.length).toBeGreaterThanOrEqual(2);
});

test('nothing of a submission but its place, its hash and its rejections is told', async () => {
  const { submissions } = await createBlockReads(chain).show('2');
  expect(submissions.map((submission) => Object.keys(submission).sort())).toEqual([
    ['department', 'hash', 'records', 'rejected', 'seq'],
  ]);
});

test('a block that is not there is refused', async () => {
  const reads = createBlockReads(chain);
  for (const name of [String(chain.height + 1), 'bafyreihash', '0'])
    await expect(reads.show(name)).rejects.toMatchObject({ code: 'refused' });
});
