import { WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { blockKey, rawCode, requireContentCid } from '../block/content-cid.ts';
import { linksOf } from '../block/links.ts';
import { missing } from '../block/verify.ts';
import { maxDagBlocks } from '../store/limits.ts';

interface Blocks {
  get(cid: CID): Promise<Uint8Array>;
  hasMany(digests: readonly Uint8Array[]): Promise<boolean[]>;
}

const batchLinks = 4096;

/**
 * Requires every block under a root to be here. Blocks with links are read and verified; raw leaves are only looked up.
 * @throws `unavailable`, `data-abnormal`, `input-invalid`, `limit-exceeded`
 */
export async function requireComplete(root: CID, blocks: Blocks, signal: AbortSignal | undefined): Promise<void> {
  const seen = new Set<string>();
  const branches: CID[] = [];
  let leaves: CID[] = [];
  const meet = (cid: CID): void => {
    const key = Buffer.from(requireContentCid(cid).bytes).toString('latin1');
    if (seen.has(key)) return;
    if (seen.size >= maxDagBlocks)
      throw new WaymarkError('limit-exceeded', 'The DAG has too many blocks.', { details: { maxDagBlocks } });
    seen.add(key);
    (cid.code === rawCode ? leaves : branches).push(cid);
  };
  const checkLeaves = async (): Promise<void> => {
    const asked = leaves;
    leaves = [];
    const present = await blocks.hasMany(asked.map(blockKey));
    const absent = asked.find((_cid, at) => present[at] !== true);
    if (absent !== undefined) throw missing(absent, 'embedded');
  };
  meet(root);
  for (let cid = branches.pop(); cid !== undefined; cid = branches.pop()) {
    signal?.throwIfAborted();
    for (const link of linksOf({ cid, bytes: await blocks.get(cid) })) meet(link);
    if (leaves.length >= batchLinks) await checkLeaves();
  }
  await checkLeaves();
}
