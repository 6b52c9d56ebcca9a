/**
 * A process that applies blocks until it is killed, and prints each height once it was acknowledged. Arguments: folder, file with the blocks.
 */
import { readFileSync, writeSync } from 'node:fs';
import { deserialize } from 'node:v8';
import type { SealedBlock } from '@waymark/rsl';
import { createBodyCipher, openLedgerChain } from '../../src/index.ts';
import { indexRoot, ledgerName } from './test-ledger.ts';

const [folder = '', file = ''] = process.argv.slice(2);
const blocks = deserialize(readFileSync(file)) as SealedBlock[];
const bodyCipher = createBodyCipher({ indexRoot, ledger: ledgerName });
const chain = await openLedgerChain({ folder, ledger: ledgerName, bodyCipher });
for (let at = chain.height; at < blocks.length; at = chain.height) {
  const groups = [blocks.slice(at, at + 1), blocks.slice(at + 1, at + 3), blocks.slice(at + 3, at + 4)];
  await Promise.all(
    groups.map(async (group) => {
      await chain.apply(group);
      writeSync(1, `${chain.height}\n`);
    }),
  );
}
await chain.close();
writeSync(1, 'end\n');
