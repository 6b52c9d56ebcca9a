import { anchorLeafStatement, noBlock, type BlockHash, type Crypto, type Header } from '@waymark/rsl';
import type { AnchorFacts } from '../replica/ledger-facts.ts';

/** Where a member's own chain is not what was anchored (D12). */
export interface AnchorDifference {
  /**
   * `block`: the block at `height` is another one than the anchored chain has there. `root`: all of the blocks are the anchored ones, and the
   * anchor's root is over something else.
   */
  readonly what: 'block' | 'root';
  readonly height: number;
  /** Hash that the anchored chain has there. */
  readonly anchored: BlockHash;
  /** Hash of the own block there. */
  readonly held: BlockHash;
}

/** What of `Crypto` a check needs: no keys. */
export type Hashing = Pick<Crypto, 'headerHash' | 'leafHash' | 'merkleRoot'>;

/**
 * Compares a range of own headers with its anchor: the last one's hash, the links down to the first and to the anchor before, the Merkle root.
 *
 * @param headers from `anchor.first` to `anchor.last`, in order
 * @returns the highest place that differs, or null when nothing does
 */
export function differenceFrom(
  anchor: Pick<AnchorFacts, 'first' | 'last' | 'hash' | 'prev' | 'root'>,
  ledger: string,
  headers: readonly Header[],
  hashing: Hashing,
): AnchorDifference | null {
  const hashes = headers.map((header) => hashing.headerHash(header));
  let anchored = anchor.hash;
  for (let height = anchor.last; height >= anchor.first; height -= 1) {
    const index = height - anchor.first;
    const header = headers[index];
    const held = hashes[index] ?? noBlock;
    if (header === undefined || held !== anchored || header.height !== height || header.ledger !== ledger)
      return { what: 'block', height, anchored, held };
    anchored = header.prev;
  }
  if (anchored !== (anchor.prev ?? noBlock))
    return { what: 'block', height: anchor.first - 1, anchored: anchor.prev ?? noBlock, held: anchored };
  const leaves = hashes.map((hash, index) => hashing.leafHash(anchorLeafStatement(ledger, anchor.first + index, hash)));
  if (hashing.merkleRoot(leaves) !== anchor.root)
    return { what: 'root', height: anchor.last, anchored: anchor.hash, held: anchor.hash };
  return null;
}
