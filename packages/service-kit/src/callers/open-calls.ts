import type { Component } from '../lifecycle/component.ts';

/** Certificates expire without anybody saying so. */
const defaultRecheckMs = 60_000;

/** Calls that stay open. Whoever loses the right to one loses the call as well, not only the next one. */
export interface OpenCalls extends Component {
  /**
   * Serves a call for as long as its caller may make it.
   * @param check throws when the caller may not (any more); called at once and at each `recheck`
   * @throws what `check` throws, or what `work` throws
   */
  serve<T>(check: () => void, work: () => Promise<T>): Promise<T>;
  /** Asks again about every open call and ends those whose caller may not make it any more. */
  readonly recheck: () => void;
}

/** @param options.recheckMs how often all calls are asked about without a reason; default 60,000 */
export function createOpenCalls(options: { readonly recheckMs?: number } = {}): OpenCalls {
  const open = new Set<{ readonly check: () => void; readonly end: (reason: unknown) => void }>();
  let timer: NodeJS.Timeout | undefined;

  const recheck = (): void => {
    for (const call of [...open]) {
      try {
        call.check();
      } catch (error) {
        call.end(error);
      }
    }
  };
  return {
    name: 'open-calls',
    start() {
      timer = setInterval(recheck, options.recheckMs ?? defaultRecheckMs);
      timer.unref();
    },
    stop: () => clearInterval(timer),
    async serve(check, work) {
      check();
      const ended = Promise.withResolvers<never>();
      const call = { check, end: ended.reject };
      open.add(call);
      try {
        return await Promise.race([work(), ended.promise]);
      } finally {
        open.delete(call);
      }
    },
    recheck,
  };
}
