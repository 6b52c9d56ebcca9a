import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Bytes of one peer's block files. Blocks are the same on every peer, so one peer's growth is what a load puts on the chain.
 *
 * @param blockFolder where the peer keeps them
 */
export async function blockBytesOf(blockFolder: string): Promise<number> {
  const files = (await readdir(blockFolder)).filter((name) => name.startsWith('blockfile_'));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(blockFolder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
