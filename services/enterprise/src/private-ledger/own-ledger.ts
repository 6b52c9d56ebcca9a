import type { Block, BlockWriter } from '@waymark/content';
import type { LedgerChain } from '@waymark/ledger-chain';
import { isWaymarkError, parseCid } from '@waymark/protocol';
import { decodeHeader, headerBytes } from '@waymark/rsl';
import type { OwnLedger } from '../pins/own-ledger.ts';

/** The chain of this member, for those who see to it that its blocks are kept. */
export function createOwnLedger(
  chain: Pick<LedgerChain, 'height' | 'headers' | 'storedBlock'>,
  content: BlockWriter,
): OwnLedger {
  return {
    headers(first, last) {
      if (chain.height < last) return undefined;
      try {
        return chain.headers(first, last).map(headerBytes);
      } catch (error) {
        // A range that a snapshot skipped is being filled in.
        if (isWaymarkError(error, 'gone')) return undefined;
        throw error;
      }
    },
    async publish(first, last) {
      for (let height = first; height <= last; height += 1) {
        const { blocks } = await chain.storedBlock(height);
        await content.putMany(blocks, { pinRoots: blocks.slice(0, 1).map(bodyOf) });
      }
    },
  };
}

function bodyOf(header: Block) {
  return parseCid(decodeHeader(header.bytes).body);
}
