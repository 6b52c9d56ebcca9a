import { join } from 'node:path';
import { openEmbeddedStore } from '@waymark/content';
import { privateFileSystem } from '@waymark/durable-files';
import { createChainIndex } from './chain-index.ts';
import { FileLedgerChain } from './file-ledger-chain.ts';
import type { LedgerChain, LedgerChainOptions } from './ledger-chain.ts';
import { openDatabase } from './statements.ts';

/** Files in the folder of a chain. */
export const indexFile = 'index.db';
export const blocksFolder = 'blocks';

/**
 * Opens what a member keeps of the confirmed chain. One process at a time may have a folder open.
 * @throws WaymarkError unavailable (`locked`, the disk), data-abnormal (the index is damaged), recipient-mismatch (another ledger's folder),
 *   unsupported (a later version's)
 */
export async function openLedgerChain({ folder, ledger, bodyCipher }: LedgerChainOptions): Promise<LedgerChain> {
  const blocks = await openEmbeddedStore({ folder: join(folder, blocksFolder), fileSystem: privateFileSystem });
  try {
    const database = openDatabase(join(folder, indexFile));
    try {
      return new FileLedgerChain({ ledger, blocks, bodyCipher, index: createChainIndex(database, ledger) });
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    await blocks.close();
    throw error;
  }
}
