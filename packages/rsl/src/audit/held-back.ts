import type { SubmissionReceipt } from '../block/submission.ts';
import type { Cursors } from '../log/chain.ts';

/**
 * Whether a center holds a submission back: it gave its receipt, and the ledger has come `inclusionBlocks` further without it (rsl.md, protocol
 * steps 3 and 6). Only the center that gave the receipt is to blame.
 * @param height of the block after which the sequences stand as in `cursors`
 */
export function isHeldBack(
  receipt: Pick<SubmissionReceipt, 'department' | 'seq' | 'height'>,
  height: number,
  cursors: Cursors,
  inclusionBlocks: number,
): boolean {
  return height > receipt.height + inclusionBlocks && (cursors.get(receipt.department)?.seq ?? 0) < receipt.seq;
}
