import { WaymarkError } from '@waymark/protocol';

/** Lets callers wait until a block has been applied. */
export interface BlockWaiters {
  /** Says that all blocks up to this one have been applied. */
  reached(blockNumber: bigint): void;
  /** @throws WaymarkError `unavailable` when `signal` aborts first or the replica is stopped */
  wait(blockNumber: bigint, signal?: AbortSignal): Promise<void>;
  /** Ends all waiting. */
  abandon(): void;
}

interface Waiter {
  readonly blockNumber: bigint;
  readonly resolve: () => void;
  readonly reject: (error: WaymarkError) => void;
}

/** @param current the number of the newest applied block, or undefined before the first */
export function createBlockWaiters(current: () => bigint | undefined): BlockWaiters {
  const waiters = new Set<Waiter>();
  return {
    reached(blockNumber) {
      for (const waiter of waiters) if (waiter.blockNumber <= blockNumber) waiter.resolve();
    },
    wait(blockNumber, signal) {
      if ((current() ?? -1n) >= blockNumber) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const settle = (then: () => void): void => {
          waiters.delete(waiter);
          signal?.removeEventListener('abort', onAbort);
          then();
        };
        const onAbort = (): void => settle(() => reject(notReached(blockNumber)));
        const waiter: Waiter = {
          blockNumber,
          resolve: () => settle(resolve),
          reject: (error) => settle(() => reject(error)),
        };
        waiters.add(waiter);
        if (signal?.aborted === true) onAbort();
        else signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    abandon() {
      for (const waiter of waiters) waiter.reject(notReached(waiter.blockNumber));
    },
  };
}

function notReached(blockNumber: bigint): WaymarkError {
  return new WaymarkError('unavailable', 'the replica has not reached the block', {
    details: { blockNumber: String(blockNumber) },
  });
}
