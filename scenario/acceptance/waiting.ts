import { setTimeout as delay } from 'node:timers/promises';

const untilTimeoutMs = 60_000;
const pollMs = 50;

/** Asks again and again until there is an answer. Throws, naming what was waited for, when there is none within the time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  timeoutMs = untilTimeoutMs,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${String(timeoutMs / 1_000)} s for ${what}`);
    await delay(pollMs);
  }
}
