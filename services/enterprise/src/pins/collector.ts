import { isWaymarkError } from '@waymark/protocol';
import type { Component, Logger } from '@waymark/service-kit';
import type { Connections } from '../members/connections.ts';
import { maxCidsPerCall } from '../members/member-client.ts';
import type { Members } from '../members/members.ts';
import type { PinStore } from './pin-store.ts';
import type { PinReceipts } from './receipts.ts';
import { createWakeable, type Wakeable } from './wakeable.ts';

const firstRetryMs = 500;
const longestRetryMs = 15_000;
const longestSleepMs = 60_000;
const longestPauseMs = 10_000;

/** What a collector is made of. */
export interface CollectorParts {
  readonly store: PinStore;
  readonly members: Members;
  readonly connections: Connections;
  readonly receipts: PinReceipts;
  /** Told of batches and bodies for which a receipt came in. */
  readonly onReceipts: (cids: readonly string[]) => void;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Asks the other organisations' centers to pin, and keeps the receipts they give. */
export interface Collector extends Component {
  /** Says that receipts are wanted. */
  wake(): void;
}

/** One loop for each organisation: one that is away does not hold up the others, and what was wanted of it stays wanted, over restarts as well. */
export function createCollector(parts: CollectorParts): Collector {
  const { store, members, connections, logger, nowMs } = parts;
  const lanes = new Map<string, { readonly loop: Wakeable; readonly ended: Promise<void> }>();
  let running = false;

  async function ask(mspId: string, wanted: readonly { cid: string; attempts: number }[]): Promise<void> {
    const answers = await connections.use(mspId, (client) => client.requestPins(wanted.map(({ cid }) => cid)), {
      // Who gives a receipt is asked later whether it holds what it vouched for.
      onlyCenter: true,
    });
    const member = members.member(mspId);
    if (member === undefined) return;
    const received: string[] = [];
    for (const { cid, attempts } of wanted) {
      const answer = answers.find((one) => one.cid === cid);
      try {
        if (answer?.receipt === undefined) throw new Error(answer?.code ?? 'no answer');
        store.addReplica(cid, parts.receipts.verify(Buffer.from(answer.receipt, 'base64'), cid, member));
        received.push(cid);
      } catch (error) {
        const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempts, 10));
        const code = isWaymarkError(error) ? error.code : answer?.code?.replaceAll(/[^a-z-]/g, '?');
        logger.warn('no pin receipt', { mspId, cid, code, delayMs });
        store.postponeWanted(mspId, cid, nowMs() + delayMs);
      }
    }
    if (received.length > 0) parts.onReceipts(received);
  }

  async function lane(mspId: string, loop: Wakeable): Promise<void> {
    let pauseMs = firstRetryMs;
    while (!loop.stopped()) {
      let delayMs = longestSleepMs;
      try {
        const wanted = store.wanted(mspId, nowMs(), maxCidsPerCall);
        if (wanted.length > 0) {
          await ask(mspId, wanted);
          pauseMs = firstRetryMs;
          continue;
        }
        const nextMs = store.nextWantedAtMs(mspId, nowMs());
        if (nextMs !== undefined) delayMs = Math.max(10, nextMs - nowMs());
      } catch (error) {
        if (loop.stopped()) return;
        delayMs = Math.max(pauseMs, connections.waitMs(mspId));
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
        logger.warn('another center gives no pin receipts; it is asked again', { mspId, delayMs, error });
        // New batches make no difference to it: only time does.
        await loop.pause(delayMs);
        continue;
      }
      await loop.sleep(delayMs);
    }
  }

  const sync = (): void => {
    const now = connections.organisations();
    store.wantFromMembers(now);
    for (const [mspId, { loop }] of [...lanes]) {
      if (now.includes(mspId)) continue;
      loop.stop();
      lanes.delete(mspId);
    }
    if (!running) return;
    for (const mspId of now) {
      if (lanes.has(mspId)) continue;
      const loop = createWakeable();
      lanes.set(mspId, { loop, ended: lane(mspId, loop) });
    }
  };

  return {
    name: 'pin-receipts',
    start() {
      running = true;
      sync();
      members.onChange(sync);
    },
    wake() {
      for (const { loop } of lanes.values()) loop.wake();
    },
    async stop() {
      running = false;
      const ending = [...lanes.values()];
      for (const { loop } of ending) loop.stop();
      lanes.clear();
      await Promise.all(ending.map(({ ended }) => ended));
    },
  };
}
