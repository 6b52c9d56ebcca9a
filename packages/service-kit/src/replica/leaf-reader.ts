import { setTimeout as sleep } from 'node:timers/promises';
import { WaymarkError, dagCborCode, parseCid, verifyBatchBlock, type BatchLeaf } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import type { Logger } from '../log/logger.ts';
import type { PendingLeaves, ReplicaStore } from './replica-store.ts';

/** Where batch blocks come from. */
export interface BatchSource {
  get(cid: CID): Promise<Uint8Array>;
}

/** What a leaf reader is made of. */
export interface LeafReaderParts {
  readonly store: ReplicaStore;
  readonly source: BatchSource;
  readonly channel: string;
  readonly logger: Logger;
  /** Batches fetched at once. Default 8. */
  readonly concurrency?: number;
  /** Time for one fetch. Default 30,000. */
  readonly fetchTimeoutMs?: number;
  /** Wait after the first failure; doubles up to 5 minutes. Default 500. */
  readonly firstDelayMs?: number;
  /** Called when leaves are on disk. */
  readonly onRead: () => void;
}

/**
 * Fills the index with the records of each batch, in the background; what is left to do is kept in the store. Only batches
 * that agree with their evidence are entered (`verifyBatchBlock`).
 */
export interface LeafReader {
  start(): void;
  /** Says that there is something to do. */
  wake(): void;
  stop(): Promise<void>;
}

const longestDelayMs = 5 * 60_000;

/** See `LeafReader`. */
export function createLeafReader(parts: LeafReaderParts): LeafReader {
  const { store, source, channel, logger, onRead } = parts;
  const { concurrency = 8, fetchTimeoutMs = 30_000, firstDelayMs = 500 } = parts;
  let stopping = new AbortController();
  let woken = new AbortController();
  let running: Promise<void> | undefined;

  const readOne = async (
    pending: PendingLeaves,
  ): Promise<{ num: number; leaves: readonly BatchLeaf[] } | undefined> => {
    const { num, evidence, attempts } = pending;
    try {
      const cid = parseCid(evidence.cid, [dagCborCode]);
      const block = await within(source.get(cid), fetchTimeoutMs, stopping.signal);
      return { num, leaves: verifyBatchBlock(block, evidence, channel).block.leaves };
    } catch (error) {
      if (stopping.signal.aborted) return undefined;
      const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts, 20));
      logger.debug('a batch could not be read', {
        cid: evidence.cid,
        seq: evidence.seq,
        attempt: attempts + 1,
        delayMs,
        error,
      });
      store.postponeLeaves(num, Date.now() + delayMs);
      return undefined;
    }
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      woken = new AbortController();
      let delayMs = longestDelayMs;
      try {
        const pending = store.pendingLeaves(Date.now(), concurrency);
        if (pending.length > 0) {
          const read = (await Promise.all(pending.map(readOne))).filter((batch) => batch !== undefined);
          if (read.length > 0) {
            store.addLeaves(read);
            onRead();
          }
          continue;
        }
        const { nextDueAtMs } = store.pendingState();
        if (nextDueAtMs !== undefined) delayMs = Math.min(delayMs, Math.max(1, nextDueAtMs - Date.now()));
      } catch (error) {
        logger.warn('the index cannot be filled', { error });
        delayMs = 1_000;
      }
      const signal = AbortSignal.any([stopping.signal, woken.signal]);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    start() {
      if (running !== undefined) return;
      stopping = new AbortController();
      running = run();
    },
    wake: () => woken.abort(),
    async stop() {
      stopping.abort();
      await running;
      running = undefined;
    },
  };
}

async function within<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  const cancel = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: AbortSignal.any([signal, cancel.signal]) }).then(() => {
    throw new WaymarkError('unavailable', 'the content store did not answer in time', { details: { timeoutMs } });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel.abort();
    late.catch(() => undefined);
  }
}
