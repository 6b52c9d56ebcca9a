import { WaymarkError } from '@waymark/protocol';

/** Lets a bounded number of calls run at once; the others wait in the order they came (back-pressure). */
export interface Slots {
  readonly inFlight: number;
  readonly waiting: number;
  /** Runs `work` when there is a slot. @throws WaymarkError `limit-exceeded` when too many wait already. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** @param maxWaiting calls that may wait for a slot; one more is refused */
export function createSlots(maxInFlight: number, maxWaiting = 100_000): Slots {
  const queue: { grant: () => void; readonly refuse: (reason: WaymarkError) => void }[] = [];
  let inFlight = 0;

  const acquire = (signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted === true) return Promise.reject(givenUp());
    if (inFlight < maxInFlight) {
      inFlight += 1;
      return Promise.resolve();
    }
    if (queue.length >= maxWaiting) {
      return Promise.reject(
        new WaymarkError('limit-exceeded', 'too many calls wait for the ledger', { details: { maxWaiting } }),
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.splice(queue.indexOf(entry), 1);
        reject(givenUp());
      };
      const entry = {
        grant: (): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        refuse: reject,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(entry);
    });
  };
  const release = (): void => {
    const next = queue.shift();
    if (next === undefined) inFlight -= 1;
    else next.grant();
  };

  return {
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return queue.length;
    },
    async run(work, signal) {
      await acquire(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}

function givenUp(): WaymarkError {
  return new WaymarkError('unavailable', 'the call was given up before it began');
}
