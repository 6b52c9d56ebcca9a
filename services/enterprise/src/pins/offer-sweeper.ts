import type { Component, Logger } from '@waymark/service-kit';
import type { PinStore } from './pin-store.ts';
import { createWakeable } from './wakeable.ts';

const sweepEveryMs = 60_000;
const maxPerSweep = 64;

/** Lets batches and bodies of other organisations go that were pinned for them and never came onto the channel. */
export function createOfferSweeper(parts: {
  readonly store: Pick<PinStore, 'staleOffers' | 'withdraw'>;
  readonly unpin: (cid: string) => Promise<void>;
  readonly lifetimeMs: number;
  readonly logger: Logger;
  readonly nowMs: () => number;
}): Component {
  const { store, unpin, lifetimeMs, logger, nowMs } = parts;
  const wakeable = createWakeable();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!wakeable.stopped()) {
      try {
        const stale = store.staleOffers(nowMs() - lifetimeMs, maxPerSweep);
        for (const cid of stale) {
          await unpin(cid);
          store.withdraw(cid);
        }
        if (stale.length > 0)
          logger.info('batches that never came onto the channel were let go', { count: stale.length });
        if (stale.length === maxPerSweep) continue;
      } catch (error) {
        logger.warn('batches that never came onto the channel could not be let go', { error });
      }
      await wakeable.sleep(sweepEveryMs);
    }
  }

  return {
    name: 'pin-offers',
    start() {
      running ??= run();
    },
    async stop() {
      wakeable.stop();
      await running;
    },
  };
}
