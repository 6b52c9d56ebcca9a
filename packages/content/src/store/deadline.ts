import { WaymarkError } from '@waymark/protocol';
import type { ReadOptions } from './content-store.ts';

/**
 * Runs a call under its caller's signal and time limit, whether or not the call itself heeds the signal it is given.
 * @throws the caller's abort reason, or `unavailable` when the time is over
 */
export async function withDeadline<T>(
  options: ReadOptions | undefined,
  defaultTimeoutMs: number | undefined,
  run: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const caller = options?.signal;
  const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs;
  caller?.throwIfAborted();
  if (caller === undefined && timeoutMs === undefined) return await run(undefined);
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (reason: unknown): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's reason is passed on as it is
      reject(reason);
      controller.abort(reason);
    };
    onAbort = () => end(caller?.reason);
    caller?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs !== undefined) timer = setTimeout(() => end(tooLate(timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([run(controller.signal), ended]);
  } finally {
    clearTimeout(timer);
    caller?.removeEventListener('abort', onAbort);
  }
}

function tooLate(timeoutMs: number): WaymarkError {
  return new WaymarkError('unavailable', 'The content store did not answer in time.', {
    details: { reason: 'timeout', timeoutMs },
  });
}
