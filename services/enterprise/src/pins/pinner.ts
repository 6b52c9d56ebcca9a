import { type Evidence, formatEvidenceId, isWaymarkError } from '@waymark/protocol';
import type { Component, Logger, PlacedEvidence } from '@waymark/service-kit';
import { anchoredBatchCheck } from './batch-check.ts';
import type { Keeper } from './keeper.ts';
import type { PinReceipts } from './receipts.ts';
import type { PinStore, WaitingBatch } from './pin-store.ts';
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
  readonly channel: string;
  readonly mspId: string;
  readonly replica: PinnedChannel;
  readonly store: PinStore;
  readonly keeper: Keeper;
  readonly receipts: PinReceipts;
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
  const { store, replica, keeper, logger, nowMs, mspId } = parts;
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
    for (const { cid, pinned } of batches) if (pinned) holdOwn(cid);
    store.anchor(batches);
    parts.onOwnAnchored(batches.filter(({ own }) => own).map(({ cid }) => cid));
    return placed.length === maxBatchesPerStep;
  }

  function holdOwn(cid: string): void {
    const known = store.replicas(cid).find(({ msp }) => msp === mspId);
    if (known === undefined) store.addReplica(cid, parts.receipts.sign(cid));
    else store.setReplicaState(cid, mspId, 'held');
  }

  async function pinOne(batch: WaitingBatch): Promise<'pinned' | 'away'> {
    try {
      const evidence = replica.evidence(batch.evidenceId);
      if (evidence === undefined) return 'away';
      await keeper.keep(batch.cid, batch.msp, anchoredBatchCheck(evidence, parts.channel));
      if (batch.own) holdOwn(batch.cid);
      store.markPinned(batch.position);
      return 'pinned';
    } catch (error) {
      if (following.stopped()) return 'away';
      if (isWaymarkError(error, 'unavailable') && error.details['reason'] !== 'missing') return 'away';
      // A block that is none of this evidence does not become one; what is missing may be found somewhere.
      const longestMs = isWaymarkError(error, 'data-abnormal') ? longestAbnormalRetryMs : longestRetryMs;
      const delayMs = Math.min(longestMs, firstRetryMs * 2 ** Math.min(batch.attempts, 20));
      logger.warn('a batch of the channel could not be pinned', { cid: batch.cid, mspId: batch.msp, delayMs, error });
      store.postpone(batch.position, nowMs() + delayMs);
      return 'pinned';
    }
  }

  async function lane(msp: string): Promise<void> {
    let pauseMs = firstRetryMs;
    while (!following.stopped()) {
      const batches = store.waiting(msp, nowMs(), concurrencyPerOrganisation);
      if (batches.length === 0) return;
      const outcomes = await Promise.all(batches.map(pinOne));
      if (outcomes.includes('pinned')) {
        pauseMs = firstRetryMs;
        continue;
      }
      // Nobody who could have them can be asked: that says nothing about the batches, which keep their place.
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
