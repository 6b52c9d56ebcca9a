import type { PrivateLedger } from '@waymark/private-ledger';
import { decodeHeldBackClaim, defaultLimits, type HeldBackClaim, isHeldBack } from '@waymark/rsl';
import type { Logger } from '@waymark/service-kit';

/** Submissions of this outlet that a center has given its receipt for and that are in no confirmed block yet. */
export interface HeldBackWatch {
  /** A receipt of the ledger, as the outbox keeps it. @throws WaymarkError input-invalid */
  expect(claim: Uint8Array): void;
  /** The chain has grown: looks for what should be in it by now. */
  check(): void;
  readonly waiting: number;
}

/** What the watch looks at. */
export type HeldBackSource = Pick<PrivateLedger, 'member' | 'chain' | 'alerts'>;

/** More receipts than an outlet has batches on their way; the oldest are let go of. */
const maxWaiting = 4_096;

/**
 * A center that keeps a batch out of the ledger in spite of its receipt (rsl.md, protocol steps 3 and 6): this member does not acknowledge its blocks any more, and the
 * receipt goes to the channel as a claim against it.
 */
export function createHeldBackWatch(
  { member, chain, alerts }: HeldBackSource,
  logger: Logger,
  inclusionBlocks = defaultLimits.inclusionBlocks,
): HeldBackWatch {
  const waiting = new Map<number, HeldBackClaim>();
  return {
    expect(bytes) {
      const claim = decodeHeldBackClaim(bytes);
      member.receipted(claim.receipt);
      waiting.set(claim.receipt.seq, claim);
      if (waiting.size > maxWaiting) waiting.delete(waiting.keys().next().value ?? 0);
    },
    check() {
      if (waiting.size === 0) return;
      const { height } = chain;
      for (const [seq, claim] of waiting) {
        const { department } = claim.receipt;
        const last = chain.lastSubmission(department);
        if (last !== null && last.seq >= seq) {
          waiting.delete(seq);
          continue;
        }
        const cursors = new Map(last === null ? [] : [[department, last]]);
        if (!isHeldBack(claim.receipt, height, cursors, inclusionBlocks)) continue;
        waiting.delete(seq);
        // A center that lost its office is not to blame for what others left out; its outlet hands the batch in again.
        const late = chain.seal(claim.receipt.height + inclusionBlocks + 1);
        if (late?.center !== claim.receipt.center || late.header.term !== claim.receipt.term) continue;
        alerts
          .raise({ kind: 'held-back', claim })
          .catch((error: unknown) => logger.error('an alert could not be written', { error }));
      }
    },
    get waiting() {
      return waiting.size;
    },
  };
}
