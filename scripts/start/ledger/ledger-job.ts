import { ledgerMembers } from '@waymark/network';
import type { ShipmentRecord } from '@waymark/protocol';
import { type AnchoredLedger, readAnchoredLedger } from './anchored-ledger.ts';
import { type FailoverFigures, killCenterUnderLoad } from './failover.ts';
import type { LedgerPlace } from './ledger-place.ts';
import { type RewriteFigures, rewriteAndWait } from './rewrite.ts';

/** What the main job found out about the firm's private ledger. */
export interface LedgerFigures extends AnchoredLedger {
  readonly failover: FailoverFigures;
  readonly rewrite: RewriteFigures;
}

/**
 * Shows the private ledger of the firm: a center killed under load, a chain rewritten on disk, and at the end what of it all is on the channel.
 *
 * @returns null when the topology gives the firm no private ledger
 */
export async function showLedger(
  place: LedgerPlace,
  like: ShipmentRecord,
  say: (text: string) => void,
): Promise<LedgerFigures | null> {
  if (ledgerMembers(place.topology, place.firm).length === 0) return null;
  const failover = await killCenterUnderLoad(place, like, say);
  const rewrite = await rewriteAndWait(place, say);
  const anchored = await readAnchoredLedger(place.readerProfile);
  say(`private ledger of ${place.firm.name}: ${anchored.blocks} blocks in ${anchored.anchors} anchors on the channel`);
  return { ...anchored, failover, rewrite };
}
