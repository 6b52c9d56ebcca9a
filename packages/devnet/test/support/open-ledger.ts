import { readFile } from 'node:fs/promises';
import { common } from '@hyperledger/fabric-protos';
import { openPeerLedger } from '../../src/ledger/index.ts';

/** Opens a ledger from a process of its own and prints how that went: `open-ledger.ts FOLDER GENESIS`. */
const [, , dir = '', genesis = ''] = process.argv;
const genesisBlock = common.Block.deserializeBinary(await readFile(genesis));
try {
  await openPeerLedger({ dir, genesisBlock });
  process.stdout.write('opened\n');
} catch (error) {
  process.stdout.write(`${error instanceof Error && 'code' in error ? String(error.code) : String(error)}\n`);
}
