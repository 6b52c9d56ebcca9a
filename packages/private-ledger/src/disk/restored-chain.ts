import { existsSync, rmSync } from 'node:fs';
import type { LedgerChain } from '@waymark/ledger-chain';
import type { MemberChain } from '@waymark/ledger-member';
import { WaymarkError } from '@waymark/protocol';

/**
 * A chain that came from a backup, under a log that knows nothing of it. To consensus it is as high as it has confirmed anew: what is on disk above that counts as
 * not there, or the member would take every record of the blocks to come for a repeated one. Blocks that are there are not written again.
 */
export function replayedChain(
  chain: Pick<LedgerChain, 'height' | 'apply' | 'sync' | 'installSnapshot' | 'findRecord' | 'seal'>,
  onReached: () => void,
): MemberChain {
  const restored = chain.height;
  let height = 0;
  const reached = (to: number): void => {
    const wasBelow = height < restored;
    height = Math.max(height, to);
    if (wasBelow && height >= restored) onReached();
  };
  return {
    get height() {
      return height;
    },
    async apply(blocks) {
      for (const { seal } of blocks) {
        const held = chain.seal(seal.header.height);
        if (held !== null && held.hash !== seal.hash)
          throw new WaymarkError(
            'data-abnormal',
            'The chain that was restored is not the one that the ledger confirms.',
            {
              details: { reason: 'restored-mismatch', height: seal.header.height },
            },
          );
      }
      await chain.apply(blocks);
      reached(blocks.at(-1)?.candidate.height ?? 0);
    },
    sync: () => chain.sync(),
    async installSnapshot(snapshot) {
      if (snapshot.height > chain.height) await chain.installSnapshot(snapshot);
      reached(snapshot.height);
    },
    isRecorded(oid) {
      const place = chain.findRecord(oid);
      return place !== null && place.reason === null && place.height <= height;
    },
  };
}

/** Whether a restore left this file, and the member has not confirmed anew all that was restored. */
export function isRestored(file: string): boolean {
  return existsSync(file);
}

/** From here on the member's chain is as any other. */
export function forgetRestore(file: string): void {
  rmSync(file, { force: true });
}
