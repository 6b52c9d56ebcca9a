import { type Evidence, formatEvidenceId, isWaymarkError } from '@waymark/protocol';
import type { Component, Logger, PlacedEvidence } from '@waymark/service-kit';
import type { PinStore, WaitingUnit } from './pin-store.ts';
import type { UnitKeeper } from './unit-keeper.ts';
import { createWakeable } from './wakeable.ts';

const maxBatchesPerStep = 256;
const concurrencyPerOrganisation = 4;
const firstRetryMs = 500;
const longestRetryMs = 60_000;
const longestAbnormalRetryMs = 3_600_000;
const longestPauseMs = 10_000;

/** What the pinner needs of the replica. */
export interface PinnedChannel {
  evidenceAfter(position: number, limit: number): readonly PlacedEvidence[];
  evidence(evidenceId: string): Evidence | undefined;
  onEvidence(listener: () => void): () => void;
}

/** What a pinner is made of. */
export interface PinnerParts {
  readonly mspId: string;
  readonly replica: PinnedChannel;
  readonly store: PinStore;
  readonly units: Pick<UnitKeeper, 'keep'>;
  /** Notes that something own is pinned here. */
  readonly holdOwn: (cid: string) => void;
  /** Whether the own journal took this batch in: then it was pinned before it was accepted. */
  readonly wasAccepted: (evidence: Evidence) => boolean;
  /** Told of own batches that came onto the channel. */
  readonly onOwnAnchored: (cids: readonly string[]) => void;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Pins what the channel anchors, of every organisation (S5). */
export interface Pinner extends Component {
  /** Says that there may be something to pin, or somebody to have it from. */
  wake(): void;
}

/**
 * Follows the channel by a cursor of its own, which moves with what it has entered: after a stop at any moment it goes on where it was. Batches of one
 * organisation wait for each other only; when its center is away, those of the others go on.
 */
export function createPinner(parts: PinnerParts): Pinner {
  const { store, replica, units, logger, nowMs, mspId } = parts;
  const following = createWakeable();
  const lanes = new Map<string, Promise<void>>();
  let running: Promise<void> | undefined;
  let endListening = (): void => undefined;

  /** Takes in what is new on the channel. @returns whether there may be more */
  function follow(): boolean {
    const cursor = store.cursor();
    const [at] = cursor.position === 0 ? [] : replica.evidenceAfter(cursor.position - 1, 1);
    if (at !== undefined && (at.position !== cursor.position || formatEvidenceId(at.evidence) !== cursor.evidenceId)) {
      logger.warn('the channel has another order than it had; it is followed from its beginning');
      store.rewind();
      return true;
    }
    const placed = replica.evidenceAfter(cursor.position, maxBatchesPerStep);
    if (placed.length === 0) return false;
    const batches = placed.map(({ position, evidence }) => {
      const own = evidence.msp === mspId;
      const pinned = own && parts.wasAccepted(evidence);
      return { position, evidenceId: formatEvidenceId(evidence), msp: evidence.msp, cid: evidence.cid, own, pinned };
    });
    for (const { cid, pinned } of batches) if (pinned) parts.holdOwn(cid);
    store.anchor(batches);
    parts.onOwnAnchored(batches.filter(({ own }) => own).map(({ cid }) => cid));
    return placed.length === maxBatchesPerStep;
  }

  async function pinOne(unit: WaitingUnit): Promise<'pinned' | 'away'> {
    try {
      const isDoubted =
        unit.own && store.replicas(unit.cid).some(({ msp, state }) => msp === mspId && state === 'lost');
      await units.keep(unit, { isDoubted });
      if (unit.own) parts.holdOwn(unit.cid);
      store.markPinned(unit.id);
      return 'pinned';
    } catch (error) {
      if (following.stopped()) return 'away';
      if (isWaymarkError(error, 'unavailable') && error.details['reason'] !== 'missing') return 'away';
      // A block that is none of this evidence, or no body, does not become one; what is missing may be found somewhere.
      const longestMs = isWaymarkError(error, 'data-abnormal') ? longestAbnormalRetryMs : longestRetryMs;
      const delayMs = Math.min(longestMs, firstRetryMs * 2 ** Math.min(unit.attempts, 20));
      logger.warn('what the channel has could not be pinned', { cid: unit.cid, mspId: unit.msp, delayMs, error });
      store.postpone(unit.id, nowMs() + delayMs);
      return 'pinned';
    }
  }

  async function lane(msp: string): Promise<void> {
    let pauseMs = firstRetryMs;
    while (!following.stopped()) {
      const waiting = store.waiting(msp, nowMs(), concurrencyPerOrganisation);
      if (waiting.length === 0) return;
      const outcomes = await Promise.all(waiting.map(pinOne));
      if (outcomes.includes('pinned')) {
        pauseMs = firstRetryMs;
        continue;
      }
      // Nobody who could have them can be asked: that says nothing about what waits, which keeps its place.
      await following.pause(pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    }
  }

  async function run(): Promise<void> {
    while (!following.stopped()) {
      let delayMs = longestRetryMs;
      try {
        while (follow());
        for (const msp of store.waitingOrganisations(nowMs())) {
          if (lanes.has(msp)) continue;
          const work = lane(msp)
            .catch((error: unknown) => logger.error('pinning stopped', { mspId: msp, error }))
            .finally(() => lanes.delete(msp));
          lanes.set(msp, work);
        }
        const nextMs = store.nextWaitingAtMs(nowMs());
        if (nextMs !== undefined) delayMs = Math.max(10, nextMs - nowMs());
      } catch (error) {
        logger.warn('the channel cannot be followed for pins', { error });
        delayMs = 1_000;
      }
      await following.sleep(delayMs);
    }
    await Promise.all(lanes.values());
  }

  return {
    name: 'pinner',
    start() {
      endListening = replica.onEvidence(() => following.wake());
      running ??= run();
    },
    wake: () => following.wake(),
    async stop() {
      endListening();
      following.stop();
      await running;
    },
  };
}
