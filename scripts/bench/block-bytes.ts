import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What of devnet's state file is needed to find the first peer. */
interface StoredNetwork {
  readonly organisations: readonly { readonly domain: string; readonly peers: readonly { readonly name: string }[] }[];
}

/**
 * Bytes of the block files of a devnet's first peer (the leader of the first organisation). Blocks are the same on every peer, so one
 * peer's growth is what a load puts on the chain.
 *
 * @param devnetDataDir the folder that devnet was started with
 */
export async function blockBytesOf(devnetDataDir: string): Promise<number> {
  const { organisations } = JSON.parse(await readFile(join(devnetDataDir, 'devnet.json'), 'utf8')) as StoredNetwork;
  const [first] = organisations;
  const peer = first?.peers[0];
  if (first === undefined || peer === undefined) throw new Error(`${devnetDataDir} has no peer`);
  const blocks = join(devnetDataDir, 'ledgers', `${peer.name}.${first.domain}`, 'blocks');
  const files = (await readdir(blocks)).filter((name) => name.startsWith('blockfile_'));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(blocks, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
