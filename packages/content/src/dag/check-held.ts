import type { WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { missing as missingBlock } from '../block/verify.ts';
import type { HeldOptions, HeldReport } from '../store/content-store.ts';
import { maxHeldFaults, readTogetherBlocks } from '../store/limits.ts';
import { DagWalk } from './read-dag.ts';

/** Reads what the store itself holds; for each CID its verified bytes, or why they cannot be given. */
export type ReadHeld = (cids: readonly CID[]) => Promise<readonly (Uint8Array | WaymarkError)[]>;

/** What `checkHeld` says, over a store's own way to read several blocks at once. */
export async function checkHeld(
  root: CID,
  read: ReadHeld,
  options: Pick<HeldOptions, 'maxBlocks' | 'maxFaults'> | undefined,
  signal: AbortSignal | undefined,
): Promise<HeldReport> {
  const walk = new DagWalk(root, { maxBlocks: options?.maxBlocks });
  const maxFaults = options?.maxFaults ?? maxHeldFaults;
  const missing: CID[] = [];
  const altered: CID[] = [];
  let blocks = 0;
  let sizeBytes = 0;
  for (let batch = nextOf(walk); batch.length > 0; batch = nextOf(walk)) {
    signal?.throwIfAborted();
    const outcomes = await read(batch);
    for (const [at, cid] of batch.entries()) {
      const bytes = outcomes[at] ?? missingBlock(cid, 'store');
      if (bytes instanceof Uint8Array) {
        walk.enter({ cid, bytes });
        blocks += 1;
        sizeBytes += bytes.length;
      } else (isAltered(bytes) ? altered : missing).push(cid);
    }
    if (missing.length + altered.length >= maxFaults) break;
  }
  return { held: missing.length + altered.length === 0, blocks, sizeBytes, missing, altered };
}

function nextOf(walk: DagWalk): CID[] {
  const batch: CID[] = [];
  while (batch.length < readTogetherBlocks) {
    const cid = walk.next();
    if (cid === undefined) break;
    batch.push(cid);
  }
  return batch;
}

/**
 * Altered or missing: a part of the disk that cannot be read, or a file that is gone, has lost the block as well.
 * @throws any other fault: it says nothing about the block
 */
function isAltered(fault: WaymarkError): boolean {
  if (fault.code === 'data-abnormal') return true;
  const reason = fault.code === 'unavailable' ? fault.details['reason'] : undefined;
  if (reason === 'missing' || reason === 'io-fault') return false;
  throw fault;
}
