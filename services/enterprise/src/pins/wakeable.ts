import { setTimeout as sleep } from 'node:timers/promises';

/** The longest a loop sleeps: clocks jump, and a wake may be lost with what it was about. */
const longestMs = 60_000;

/** Something that sleeps until it is woken, its time is over, or it is stopped. */
export interface Wakeable {
  wake(): void;
  /** Returns at once when it was woken since the last sleep ended. @returns whether it was woken */
  sleep(delayMs: number): Promise<boolean>;
  /** Sleeps until its time is over or it is stopped, whoever wakes it. */
  pause(delayMs: number): Promise<void>;
  stop(): void;
  stopped(): boolean;
}

/** Makes one. */
export function createWakeable(): Wakeable {
  const stopping = new AbortController();
  let woken = new AbortController();
  const sleepUntil = async (delayMs: number, signal: AbortSignal): Promise<void> => {
    await sleep(Math.min(longestMs, Math.max(0, delayMs)), undefined, { signal }).catch(() => undefined);
  };
  return {
    wake: () => woken.abort(),
    async sleep(delayMs) {
      await sleepUntil(delayMs, AbortSignal.any([stopping.signal, woken.signal]));
      if (!woken.signal.aborted) return false;
      woken = new AbortController();
      return true;
    },
    pause: (delayMs) => sleepUntil(delayMs, stopping.signal),
    stop: () => stopping.abort(),
    stopped: () => stopping.signal.aborted,
  };
}
