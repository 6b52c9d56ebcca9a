import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type LedgerChain, openLedgerChain, verifyChain } from '@waymark/ledger-chain';
import { newFolder } from '../../packages/ledger-chain/test/support/folders.ts';
import {
  createTestLedger,
  indexRoot,
  ledgerName,
  storedAnchor,
  type TestLedger,
} from '../../packages/ledger-chain/test/support/test-ledger.ts';
import { restoreChain, rewriteChain } from '../tamper/rewritten-chain.ts';

let ledger: TestLedger;
let place: { readonly folder: string; readonly ledger: string; readonly indexRoot: Uint8Array };
beforeAll(async () => {
  ledger = await createTestLedger();
  ledger.submit('outlet-1', 4, [1]);
  ledger.submit('outlet-2', 3);
  ledger.handOver();
  ledger.submit('outlet-1', 2);
  ledger.submit('outlet-2', 1);
});
beforeEach(async () => {
  place = { folder: join(await newFolder(), 'chain'), ledger: ledgerName, indexRoot };
  await opened(async (chain) => {
    await chain.apply(ledger.blocks);
    for (const anchor of anchors()) chain.markAnchored(anchor);
  });
});

const anchors = () => [
  storedAnchor(ledger.anchorOf(1, 3), ledger.blocks),
  storedAnchor(ledger.anchorOf(4, 6), ledger.blocks),
];

async function opened<T>(act: (chain: LedgerChain) => Promise<T>): Promise<T> {
  const chain = await openLedgerChain({ folder: place.folder, ledger: ledgerName, bodyCipher: ledger.bodyCipher });
  try {
    return await act(chain);
  } finally {
    await chain.close();
  }
}

/** What is wrong with the chain, when its own memory of the anchors is believed, or the channel. */
const codes = (believing: 'itself' | 'the channel') =>
  opened(async (chain) => {
    const report = await verifyChain(chain, {
      configuration: ledger.first,
      crypto: ledger.crypto,
      anchors: believing === 'itself' ? chain.anchors() : anchors(),
    });
    return [...new Set(report.problems.map(({ code }) => code))].sort();
  });

const signatures = ['candidate-signature-invalid', 'seal-signature-invalid'];

test('a rewritten chain holds by itself, but for what others signed; the anchors on the channel find it (D12)', async () => {
  expect(await codes('the channel')).toEqual([]);
  const records = await opened((chain) => chain.records(3));
  const { height, hash, was, above } = await rewriteChain(place);
  expect(await codes('itself')).toEqual(signatures);
  expect(await codes('the channel')).toEqual(['anchor-mismatch', 'anchor-previous', ...signatures]);
  expect({ height, above }).toEqual({ height: 2, above: ledger.blocks.length - 2 });
  await opened(async (chain) => {
    expect(chain.seal(height)?.hash).toBe(hash);
    expect(was).toBe(ledger.blocks[1]?.seal.hash);
    expect(chain.header(2)).toMatchObject({ accepted: 2, rejected: 2 });
    expect(chain.header(chain.height)?.prev).not.toBe(ledger.blocks.at(-1)?.seal.header.prev);
    expect(await chain.records(3)).toEqual(records);
  });
});

test('each rewriting is another one, and one of a higher block leaves those below', async () => {
  const first = await rewriteChain(place, 5);
  expect(await restoreChain(place)).toBe(true);
  const second = await rewriteChain(place, 5);
  expect(second).toEqual({ ...first, hash: expect.not.stringMatching(first.hash) as string });
  await opened((chain) => {
    expect(chain.seal(4)?.hash).toBe(ledger.blocks[3]?.seal.hash);
    return Promise.resolve();
  });
});

test('a chain that is healed is what it was, and nothing is left beside it', async () => {
  await rewriteChain(place);
  expect(await readdir(join(place.folder, '..'))).toEqual(['chain', 'chain.before']);
  await expect(rewriteChain(place)).rejects.toMatchObject({ code: 'conflict' });
  expect(await restoreChain(place)).toBe(true);
  expect(await codes('the channel')).toEqual([]);
  expect(await restoreChain(place)).toBe(false);
  expect(await readdir(join(place.folder, '..'))).toEqual(['chain']);
});

test('a block that accepts no record, or that is not there, is refused and nothing changes', async () => {
  for (const height of [0, 3, 99])
    await expect(rewriteChain(place, height)).rejects.toMatchObject({ code: 'input-invalid' });
  expect(await codes('the channel')).toEqual([]);
});
