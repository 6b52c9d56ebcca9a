import { leafHash, merkleRoot, toHex } from '@waymark/protocol';
import { anchorLeafStatement, type Header, headerBytes, headerHashOf, noBlock, statementBytes } from '@waymark/rsl';
import type { AnchorOnChannel } from './verify-record-proof.ts';

/** All that the channel keeps of an anchor and that follows from the blocks (chaincode, `StoredAnchor`). */
export interface StoredAnchorFacts extends AnchorOnChannel {
  /** Hash of the block before `first`; null for the first anchor. */
  readonly prev: string | null;
  /** Of the block at `last`: configuration epoch, term, RFC 3339 time. */
  readonly epoch: number;
  readonly blockTerm: number;
  readonly timestamp: string;
}

/**
 * Compares what the channel keeps of an anchor with the blocks themselves (D12).
 * @param headers of all blocks from `first` to `last`, in order
 * @returns reason code, or null when they agree
 */
export function anchorProblem(ledger: string, anchor: StoredAnchorFacts, headers: readonly Header[]): string | null {
  const [first] = headers;
  const last = headers.at(-1);
  if (first === undefined || last === undefined || headers.length !== anchor.last - anchor.first + 1)
    return 'anchor-range';
  const leaves: Uint8Array[] = [];
  let below = anchor.prev ?? noBlock;
  for (const [index, header] of headers.entries()) {
    if (header.ledger !== ledger || header.height !== anchor.first + index) return 'anchor-range';
    if (header.prev !== below) return index === 0 ? 'anchor-previous' : 'previous-mismatch';
    below = headerHashOf(headerBytes(header));
    leaves.push(leafHash(statementBytes(anchorLeafStatement(ledger, header.height, below))));
  }
  if (below !== anchor.hash) return 'anchor-mismatch';
  if (toHex(merkleRoot(leaves)) !== anchor.root) return 'anchor-root';
  if (last.epoch !== anchor.epoch || last.term !== anchor.blockTerm) return 'anchor-facts';
  return new Date(last.timestampMs).toISOString() === anchor.timestamp ? null : 'anchor-facts';
}
