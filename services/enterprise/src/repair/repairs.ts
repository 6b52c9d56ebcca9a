import { dagCborCode, isWaymarkError } from '@waymark/protocol';
import type { Component, Logger } from '@waymark/service-kit';
import type { CID } from 'multiformats/cid';
import type { Keeper } from '../pins/keeper.ts';
import { createWakeable } from '../pins/wakeable.ts';

const maxWaiting = 1_024;
const concurrency = 2;
const attemptsEach = 6;
const firstRetryMs = 500;
/** Blocks that could not be repaired are not tried again for a while, however often they are read. */
const giveUpForMs = 60_000;
const maxGivenUp = 4_096;

/** What repairs came to. */
export interface RepairCounts {
  readonly waiting: number;
  readonly done: number;
  readonly failed: number;
}

/** Puts right what a read found altered or missing, behind that read: who asked has its error already (S7). */
export interface Repairs extends Component {
  /** Queues a block; at once, and only once. What does not fit in is left to the watcher. */
  report(cid: CID): void;
  readonly counts: RepairCounts;
}

/** Builds the queue. */
export function createRepairs(parts: {
  readonly keeper: Pick<Keeper, 'repairBlock'>;
  /** For a batch or body: makes it whole again, with everything it links to. Undefined when the block is no root that is known. */
  readonly keepUnit: (cid: string) => Promise<void> | undefined;
  /** Told of every block that was put right. */
  readonly onRepaired: () => void;
  readonly mspId: string;
  readonly logger: Logger;
  readonly nowMs: () => number;
}): Repairs {
  const { keeper, logger, nowMs } = parts;
  const waiting = new Map<string, { readonly cid: CID; attempts: number; dueAtMs: number }>();
  const givenUpUntilMs = new Map<string, number>();
  const wakeable = createWakeable();
  const running = new Set<Promise<void>>();
  const open = new Set<string>();
  const counts = { done: 0, failed: 0 };
  let loop: Promise<void> | undefined;

  async function repair(key: string, cid: CID): Promise<void> {
    const job = waiting.get(key);
    if (job === undefined) return;
    try {
      const unit = cid.code === dagCborCode ? parts.keepUnit(key) : undefined;
      await (unit ?? keeper.repairBlock(cid, parts.mspId));
      waiting.delete(key);
      counts.done += 1;
      logger.warn('a block was repaired', { cid: key, attempt: job.attempts + 1 });
      parts.onRepaired();
    } catch (error) {
      job.attempts += 1;
      const delayMs = firstRetryMs * 2 ** job.attempts;
      const hopeless = job.attempts >= attemptsEach || isWaymarkError(error, 'unsupported');
      logger.error('a block could not be repaired', { cid: key, attempt: job.attempts, error });
      if (!hopeless) {
        job.dueAtMs = nowMs() + delayMs;
        return;
      }
      waiting.delete(key);
      counts.failed += 1;
      if (givenUpUntilMs.size >= maxGivenUp) givenUpUntilMs.delete(givenUpUntilMs.keys().next().value ?? '');
      givenUpUntilMs.set(key, nowMs() + giveUpForMs);
    }
  }

  async function run(): Promise<void> {
    while (!wakeable.stopped()) {
      const due = [...waiting].find(([key, { dueAtMs }]) => !open.has(key) && dueAtMs <= nowMs());
      if (due !== undefined && running.size < concurrency) {
        const [key, { cid }] = due;
        open.add(key);
        const work = repair(key, cid).finally(() => {
          open.delete(key);
          running.delete(work);
          wakeable.wake();
        });
        running.add(work);
        continue;
      }
      const nextMs = Math.min(...[...waiting].filter(([key]) => !open.has(key)).map(([, { dueAtMs }]) => dueAtMs));
      await wakeable.sleep(running.size >= concurrency ? Infinity : Math.max(10, nextMs - nowMs()));
    }
    await Promise.all(running);
  }

  return {
    name: 'repairs',
    report(cid) {
      const key = cid.toString();
      if (waiting.has(key) || waiting.size >= maxWaiting || (givenUpUntilMs.get(key) ?? 0) > nowMs()) return;
      givenUpUntilMs.delete(key);
      waiting.set(key, { cid, attempts: 0, dueAtMs: 0 });
      wakeable.wake();
    },
    get counts() {
      return { waiting: waiting.size, ...counts };
    },
    start() {
      loop ??= run();
    },
    async stop() {
      wakeable.stop();
      await loop;
    },
  };
}
