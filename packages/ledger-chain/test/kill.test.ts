import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { openLedgerChain, verifyChain } from '../src/index.ts';
import { newFolder } from './support/folders.ts';
import { runAndKill } from './support/killed-runs.ts';
import { createTestLedger, ledgerName } from './support/test-ledger.ts';

test('whatever was acknowledged is there after the process was killed, and the chain goes on to its end', async () => {
  const ledger = await createTestLedger();
  for (let round = 0; round < 4; round += 1) ledger.submit(round % 2 === 0 ? 'outlet-1' : 'outlet-2', 40, [round]);
  const folder = await newFolder();
  const blocks = join(folder, 'blocks.bin');
  await writeFile(blocks, serialize(ledger.blocks));
  const path = join(folder, 'chain');
  let height = 0;
  for (let kill = 1; ; kill += 1) {
    const run = await runAndKill(path, blocks, 3 + (kill % 4));
    const chain = await openLedgerChain({ folder: path, ledger: ledgerName, bodyCipher: ledger.bodyCipher });
    expect(chain.height).toBeGreaterThanOrEqual(Math.max(height, run.acknowledged));
    ({ height } = chain);
    const checks = { configuration: ledger.first, crypto: ledger.crypto, anchors: [] };
    expect((await verifyChain(chain, checks)).problems).toEqual([]);
    await chain.close();
    if (run.hasEnded || height === ledger.blocks.length) break;
  }
  expect(height).toBe(ledger.blocks.length);
});
