import { type ContentStore, linksOf } from '@waymark/content';
import { dagCborCode, isWaymarkError, parseCid } from '@waymark/protocol';
import type { Component, Logger } from '@waymark/service-kit';
import type { CID } from 'multiformats/cid';
import { isAway, type Connections } from '../members/connections.ts';
import { maxCidsPerCall } from '../members/member-client.ts';
import type { Keeper } from './keeper.ts';
import type { KeptUnit, PinStore, Place } from './pin-store.ts';
import { createWakeable } from './wakeable.ts';

const longestRestMs = 2_000;
const troubleFirstMs = 1_000;
const troubleLongestMs = 15_000;

/** What a watcher is made of. */
export interface WatcherParts {
  readonly mspId: string;
  readonly store: PinStore;
  readonly keeper: Keeper;
  readonly content: Pick<ContentStore, 'isPinned' | 'has'>;
  readonly connections: Connections;
  /** Organisations that must hold a batch, the own one included. */
  readonly replicas: number;
  readonly intervalMs: number;
  /** Says that receipts are wanted anew. */
  readonly onLost: () => void;
  /** Says that batches are to be pinned here anew. */
  readonly onWaiting: () => void;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** At random from 0 to below 1. */
  readonly random: () => number;
}

/** Walks the anchored batches and bodies and sees to it that each is held where it must be (S5). */
export interface Watcher extends Component {
  /** Begins a round now, or right after the one under way. */
  wake(): void;
  /** Rounds that were finished since the start. */
  readonly rounds: number;
  /** When the last round ended. */
  readonly lastRoundAtMs: number | undefined;
}

/**
 * A round asks every other center whether it holds the own batches, in slices, and lets it prove one of each slice by giving a block of it. A batch that a
 * center does not hold is asked for again there; one that is not whole here is fetched. After trouble the next round comes soon.
 */
export function createWatcher(parts: WatcherParts): Watcher {
  const { store, keeper, connections, logger, nowMs, mspId } = parts;
  const wakeable = createWakeable();
  let running: Promise<void> | undefined;
  let lastRoundAtMs: number | undefined;
  let rounds = 0;

  /**
   * @param whole whether every batch is looked at, or only those that somebody was found not to hold; what nobody was asked for yet is the collector's
   * @returns how many copies were not as they should be
   */
  async function round(whole: boolean): Promise<number> {
    let troubles = 0;
    for (let at = 0; !wakeable.stopped();) {
      const slice = whole ? store.ownAfter(at, maxCidsPerCall) : store.missingAfter(at, maxCidsPerCall);
      const last = slice.at(-1);
      if (last === undefined) break;
      at = last.id;
      const beganMs = performance.now();
      const organisations = connections.organisations();
      const outcomes = await Promise.all([checkOwn(slice), ...organisations.map((one) => checkMember(one, slice))]);
      for (const { cid } of slice) store.retainReplicas(cid, [mspId, ...organisations]);
      troubles += outcomes.reduce((sum, count) => sum + count, 0);
      // Whole batches are read from the disk: at most half of the time.
      if (slice.length === maxCidsPerCall) await wakeable.pause(Math.min(longestRestMs, performance.now() - beganMs));
    }
    for (let at = 0; whole && !wakeable.stopped();) {
      const slice = store.othersPinnedAfter(at, maxCidsPerCall);
      const last = slice.at(-1);
      if (last === undefined) break;
      at = last.id;
      troubles += await checkKept(slice);
    }
    return troubles;
  }

  async function checkOwn(slice: readonly KeptUnit[]): Promise<number> {
    const lost: number[] = [];
    for (const { cid, id, place } of slice) {
      if (await keeper.isHeld(cid)) {
        store.setReplicaState(cid, mspId, 'held');
        if (!(await hasHeader(place))) lost.push(id);
        continue;
      }
      logger.error('something of this organisation is not whole here; it is fetched from the others', { cid });
      store.setReplicaState(cid, mspId, 'lost');
      lost.push(id);
    }
    if (lost.length > 0) {
      store.markWaiting(lost);
      parts.onWaiting();
    }
    return lost.length;
  }

  /** Those of the others: their own centers check them block by block; here only whether the pin stands. */
  async function checkKept(slice: readonly KeptUnit[]): Promise<number> {
    const lost: number[] = [];
    for (const { cid, id, place } of slice)
      if (!(await parts.content.isPinned(parseCid(cid))) || !(await hasHeader(place))) lost.push(id);
    if (lost.length > 0) {
      logger.error('what is kept for other organisations is not pinned any more', { count: lost.length });
      store.markWaiting(lost);
      parts.onWaiting();
    }
    return lost.length;
  }

  async function hasHeader(place: Place): Promise<boolean> {
    return place.kind === 'batch' || (await parts.content.has(parseCid(place.hash)));
  }

  async function checkMember(other: string, slice: readonly KeptUnit[]): Promise<number> {
    const asked = slice.filter(({ cid }) => store.replicas(cid).some(({ msp }) => msp === other));
    try {
      if (asked.length > 0) {
        const held = await heldBy(other, asked);
        const lost = asked.filter(({ cid }) => !held.has(cid));
        for (const { cid } of asked) store.setReplicaState(cid, other, held.has(cid) ? 'held' : 'lost');
        if (lost.length > 0)
          logger.error('another center does not hold what it gave receipts for', { mspId: other, count: lost.length });
        store.want(slice.map(({ cid }) => cid), [other]); // prettier-ignore
        if (lost.length > 0) parts.onLost();
        return lost.length;
      }
      store.want(slice.map(({ cid }) => cid), [other]); // prettier-ignore
      return 0;
    } catch (error) {
      if (!isWaymarkError(error)) throw error;
      logger.warn('another center cannot be asked what it holds', { mspId: other, error });
      for (const { cid } of asked) store.setReplicaState(cid, other, 'away');
      return asked.length;
    }
  }

  async function heldBy(other: string, slice: readonly KeptUnit[]): Promise<Set<string>> {
    const answers = await connections.use(other, (client) => client.checkPins(slice.map(({ cid }) => cid)), {
      onlyCenter: true,
    });
    const held = new Set(answers.filter((answer) => answer.held).map(({ cid }) => cid));
    const candidates = slice.filter(({ cid }) => held.has(cid));
    const proof = candidates[Math.floor(parts.random() * candidates.length)];
    if (proof !== undefined && !(await proves(other, parseCid(proof.cid, [dagCborCode])))) {
      logger.error('another center says that it holds a batch and does not give it', { mspId: other, cid: proof.cid });
      held.delete(proof.cid);
    }
    return held;
  }

  /** Whether the center gives the batch's block and one that it links to, taken at random; the gateway's client verifies both. */
  async function proves(other: string, root: CID): Promise<boolean> {
    try {
      await connections.use(
        other,
        async ({ blocks }) => {
          const links = linksOf({ cid: root, bytes: await blocks.get(root) });
          const pick = links[Math.floor(parts.random() * links.length)];
          if (pick !== undefined) await blocks.get(pick);
        },
        { onlyCenter: true },
      );
      return true;
    } catch (error) {
      if (isAway(error)) throw error;
      return false;
    }
  }

  async function run(): Promise<void> {
    let soonMs = troubleFirstMs;
    let whole = true;
    while (!wakeable.stopped()) {
      let delayMs = parts.intervalMs;
      try {
        const troubles = await round(whole);
        whole = false;
        if (wakeable.stopped()) break;
        if (troubles > 0) {
          delayMs = Math.min(parts.intervalMs, soonMs);
          soonMs = Math.min(troubleLongestMs, soonMs * 2);
        } else soonMs = troubleFirstMs;
        lastRoundAtMs = nowMs();
        rounds += 1;
      } catch (error) {
        logger.error('a round of the pin watcher failed', { error });
        delayMs = Math.min(parts.intervalMs, soonMs);
        soonMs = Math.min(troubleLongestMs, soonMs * 2);
      }
      const endMs = performance.now() + delayMs;
      while (!wakeable.stopped() && performance.now() < endMs) {
        if (!(await wakeable.sleep(endMs - performance.now()))) continue;
        whole = true;
        break;
      }
      whole ||= delayMs === parts.intervalMs;
    }
  }

  return {
    name: 'pin-watcher',
    start() {
      running ??= run();
    },
    wake: () => wakeable.wake(),
    async stop() {
      wakeable.stop();
      await running;
    },
    get rounds() {
      return rounds;
    },
    get lastRoundAtMs() {
      return lastRoundAtMs;
    },
  };
}
