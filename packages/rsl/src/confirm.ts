import type { BlockRef } from './ids.ts';
import type { PlantedFaults } from './testing-seams/faults.ts';

/**
 * Last block that is confirmed once the block at `sealed` has its certificate.
 *
 * Trusted center: a certificate on h + 1 names the hash of h, and any later center has an acknowledgement of h + 1 among its votes, so h is
 * final (Raft section 5.4; rsl.md, protocol step 4).
 *
 * Lying center: which acknowledgements a center puts into a certificate is its own choice, and with them the timestamp and the hash; it can show
 * two headers of h to two departments. A certificate on h + 1 fixes which one counts, a certificate on h + 2 in the same term shows that a
 * quorum holds the one on h + 1, so that an honest one of them is among the voters for any later center. Two certificates of different terms
 * show no such thing (Raft section 5.4.2 on entries of earlier terms).
 */
export function confirmedBy(
  below: Pick<BlockRef, 'height' | 'term'> & { readonly confirmed: number },
  sealed: Pick<BlockRef, 'height' | 'term'>,
  lyingCenter: boolean,
  faults: PlantedFaults = {},
): number {
  if (faults.confirmOnSeal === true) return sealed.height;
  if (!lyingCenter || faults.confirmTooEarly === true) return Math.max(below.confirmed, sealed.height - 1);
  if (below.term !== sealed.term && faults.commitOldTerm !== true) return below.confirmed;
  return Math.max(below.confirmed, sealed.height - 2);
}
