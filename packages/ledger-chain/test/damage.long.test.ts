import { join } from 'node:path';
import { openLedgerChain } from '../src/index.ts';
import { flipEverywhere } from './support/damage.ts';
import { newFolder } from './support/folders.ts';
import { createTestLedger, ledgerName } from './support/test-ledger.ts';

test('flipped bits of every stored file are noticed, or changed nothing of the chain', async () => {
  const ledger = await createTestLedger();
  ledger.submit('outlet-1', 4, [1]);
  ledger.submit('outlet-2', 40);
  const folder = await newFolder();
  const chain = await openLedgerChain({
    folder: join(folder, 'chain'),
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
  });
  await chain.apply(ledger.blocks);
  await chain.close();
  const counts = await flipEverywhere(ledger, join(folder, 'chain'), join(folder, 'copy'), 12);
  // What is not noticed was compared with the blocks themselves: framing that nothing is read from, free space of the index.
  for (const kind of ['blocks', 'index'] as const) expect(counts.get(kind)?.flips).toBe(12);
  expect(counts.get('blocks')?.noticed).toBeGreaterThan(6);
  console.log(Object.fromEntries(counts));
}, 300_000);
