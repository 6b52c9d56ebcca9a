import { setTimeout as sleep } from 'node:timers/promises';

/** Waits between attempts: exponential with full jitter, so that those who collided do not collide again. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Delay before attempt `attempt` (1 = the first repetition), in milliseconds. `random` is in [0, 1). */
export function backoffDelayMs({ baseMs, maxMs }: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling * (0.5 + random / 2));
}

/** Waits before attempt `attempt`; returns early, without error, when `signal` aborts. */
export async function waitBackoff(backoff: Backoff, attempt: number, signal?: AbortSignal): Promise<void> {
  const delayMs = backoffDelayMs(backoff, attempt, Math.random());
  await sleep(delayMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
