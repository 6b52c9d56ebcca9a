import { join } from 'node:path';
import { type LedgerChain, openLedgerChain, type StoredBlock, verifyChain } from '../src/index.ts';
import { newFolder } from './support/folders.ts';
import { createTestLedger, ledgerName, storedAnchor, type TestLedger } from './support/test-ledger.ts';
import { withCode } from './support/with-code.ts';

let ledger: TestLedger;

const fill = (each: TestLedger): void => {
  each.submit('outlet-1', 5, [2]);
  each.submit('outlet-2', 3);
  each.submit('outlet-1', 2);
  each.submit('outlet-1', 1);
};

beforeAll(async () => {
  ledger = await createTestLedger();
  fill(ledger);
});

const open = (folder: string): Promise<LedgerChain> =>
  openLedgerChain({ folder, ledger: ledgerName, bodyCipher: ledger.bodyCipher });
const newChain = async (): Promise<LedgerChain> => open(join(await newFolder(), 'chain'));
const check = (chain: LedgerChain) =>
  verifyChain(chain, { configuration: ledger.first, crypto: ledger.crypto, anchors: [] });

test('blocks that are there already change nothing, and what does not follow is refused', async () => {
  const chain = await newChain();
  await chain.apply(ledger.blocks.slice(0, 3));
  await chain.apply(ledger.blocks.slice(1, 4));
  await chain.apply(ledger.blocks.slice(0, 2));
  expect(chain.height).toBe(4);
  await expect(chain.apply(ledger.blocks.slice(5))).rejects.toMatchObject({ code: 'internal' });
  await Promise.all(ledger.blocks.slice(4).map((block) => chain.apply([block])));
  expect(chain.height).toBe(ledger.blocks.length);
  expect(await check(chain)).toMatchObject({ valid: true, blocks: ledger.blocks.length, problems: [] });
  await chain.close();
});

test('a body that its header does not name is refused, and nothing of it is applied', async () => {
  const chain = await newChain();
  const [first] = structuredClone(ledger.blocks);
  if (first === undefined) throw new Error('no block');
  const changed = { ...first, candidate: { ...first.candidate, salt: 'another' } };
  await expect(chain.apply([changed])).rejects.toMatchObject({ code: 'data-abnormal' });
  expect(chain.height).toBe(0);
  await chain.close();
});

test('a chain that is opened again goes on where it stood; another ledger is refused its folder', async () => {
  const folder = join(await newFolder(), 'chain');
  const chain = await open(folder);
  await chain.apply(ledger.blocks.slice(0, 4));
  chain.markAnchored(storedAnchor(ledger.anchorOf(1, 2), ledger.blocks));
  await chain.close();
  await expect(chain.apply(ledger.blocks)).rejects.toMatchObject({ code: 'unavailable' });
  const again = await open(folder);
  expect(again.height).toBe(4);
  expect(again.anchoredUpTo).toBe(2);
  await expect(open(folder)).rejects.toMatchObject({ code: 'unavailable' });
  await again.apply(ledger.blocks);
  expect((await check(again)).valid).toBe(true);
  await again.close();
  await expect(
    openLedgerChain({ folder, ledger: 'other/waymark', bodyCipher: ledger.bodyCipher }),
  ).rejects.toMatchObject({ code: 'recipient-mismatch' });
});

test('headers, submissions and records are found by their names', async () => {
  const chain = await newChain();
  await chain.apply(ledger.blocks);
  expect(chain.headers(2, 4).map(({ height }) => height)).toEqual([2, 3, 4]);
  expect(() => chain.headers(2, 99)).toThrow(withCode('gone'));
  expect(chain.header(99)).toBeNull();
  const submission = chain.submission('outlet-1', 1);
  expect(submission).toMatchObject({ item: 0, records: 5, rejected: [{ index: 2, reason: 'schema-invalid' }] });
  expect(chain.submission('outlet-1', 9)).toBeNull();
  expect(chain.lastSubmission('outlet-1')?.seq).toBe(3);
  expect(chain.lastSubmission('nobody')).toBeNull();
  const records = await chain.records(submission?.height ?? 0);
  expect(records.map(({ oid, reason }) => [oid, reason])).toEqual(
    ledger.oids.slice(0, 5).map((oid, index) => [oid, index === 2 ? 'schema-invalid' : null]),
  );
  await expect(chain.block(99)).rejects.toMatchObject({ code: 'gone' });
  await chain.close();
});

test('an anchor that names another block is remembered and told (D12)', async () => {
  const chain = await newChain();
  await chain.apply(ledger.blocks);
  const anchor = storedAnchor(ledger.anchorOf(1, 3), ledger.blocks);
  const foreign = { ...anchor, hash: ledger.blocks[0]?.seal.hash ?? '' };
  expect(() => chain.markAnchored(foreign)).toThrow(withCode('data-abnormal', { height: 3 }));
  expect(chain.anchors()).toHaveLength(1);
  await chain.close();
});

describe('a member that was brought by a snapshot', () => {
  let whole: LedgerChain;
  let stored: StoredBlock[];
  let chain: LedgerChain;

  beforeAll(async () => {
    whole = await newChain();
    await whole.apply(ledger.blocks);
    stored = [];
    for (let height = 1; height <= whole.height; height += 1) stored.push(await whole.storedBlock(height));
    chain = await newChain();
    await chain.apply(ledger.blocks.slice(0, 2));
    await chain.installSnapshot(ledger.snapshot(6));
    await chain.apply(ledger.blocks.slice(6));
  });
  afterAll(async () => {
    await whole.close();
    await chain.close();
  });

  test('goes on above it, knows where the sequences stand, and names what it lacks', async () => {
    expect(chain.height).toBe(ledger.blocks.length);
    expect(chain.missing()).toEqual([{ first: 3, last: 6, hash: ledger.blocks[5]?.seal.hash }]);
    expect(chain.lastSubmission('outlet-1')?.seq).toBe(3);
    await expect(chain.block(4)).rejects.toMatchObject({ code: 'gone' });
    expect((await check(chain)).problems.map(({ code }) => code)).toContain('missing-blocks');
    await expect(chain.backup(join(await newFolder(), 'backup'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('takes no other block than the one that the block above links to, and none that is altered', async () => {
    const [, , , , fifth, sixth] = stored as [unknown, unknown, unknown, unknown, StoredBlock, StoredBlock];
    await expect(chain.backfill([fifth])).rejects.toMatchObject({ code: 'data-abnormal' });
    const [header, root, ...parts] = sixth.blocks;
    if (header === undefined || root === undefined) throw new Error('no blocks');
    const altered = parts.map(({ cid, bytes }) => ({
      cid,
      bytes: bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
    }));
    await expect(chain.backfill([{ ...sixth, blocks: [header, root, ...altered] }])).rejects.toMatchObject({
      code: 'data-abnormal',
    });
    await expect(chain.backfill([{ ...sixth, blocks: [header] }])).rejects.toMatchObject({ code: 'data-abnormal' });
    expect(chain.missing()[0]?.last).toBe(6);
  });

  test('takes no block of a history that was rewritten', async () => {
    const other = await createTestLedger({ rewriting: ledger });
    fill(other);
    const rewritten = await newChain();
    await rewritten.apply(other.blocks);
    const block = await rewritten.storedBlock(6);
    await rewritten.close();
    await expect(chain.backfill([block])).rejects.toMatchObject({ code: 'data-abnormal' });
    expect(chain.missing()[0]?.last).toBe(6);
  });

  test('is whole once the blocks were filled in from the top down', async () => {
    expect(await chain.backfill(stored.slice(3, 6).reverse())).toBe(3);
    expect(chain.missing()).toEqual([{ first: 3, last: 3, hash: ledger.blocks[2]?.seal.hash }]);
    expect(await chain.backfill(stored.slice(2, 3))).toBe(1);
    expect(chain.missing()).toEqual([]);
    expect(await check(chain)).toMatchObject({ valid: true, problems: [] });
    await expect(chain.backfill(stored.slice(0, 1))).rejects.toMatchObject({ code: 'data-abnormal' });
  });
});
