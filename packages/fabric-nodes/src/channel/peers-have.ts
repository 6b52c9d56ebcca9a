import { setTimeout as delay } from 'node:timers/promises';
import { WaymarkError } from '@waymark/protocol';
import { heightOf, type ConnectedPeer } from './connected-peer.ts';

const TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/**
 * Waits until peers have committed a block.
 *
 * @throws WaymarkError `unavailable` naming those that have not within 60 s
 */
export async function untilPeersHave(
  peers: readonly ConnectedPeer[],
  channel: string,
  blockNumber: bigint,
): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  let behind = peers;
  for (;;) {
    const heights = await Promise.all(behind.map((peer) => heightOf(peer, channel).catch(() => 0n)));
    behind = behind.filter((_, index) => (heights[index] ?? 0n) <= blockNumber);
    if (behind.length === 0) return;
    if (Date.now() > deadline) {
      const names = behind.map(({ node }) => node.hostName).join(', ');
      throw new WaymarkError('unavailable', `block ${blockNumber} has not reached ${names}`);
    }
    await delay(POLL_MS);
  }
}
