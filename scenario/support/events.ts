/** Counts what happens and lets a test wait for the n-th next time of it. */
export interface EventCounts<Name extends string> {
  count(name: Name): void;
  total(name: Name): number;
  /** Resolves when `name` was counted `times` times from now on; rejects, saying so, when that takes `deadlineMs`. */
  next(name: Name, times: number, deadlineMs?: number): Promise<void>;
}

/** Starts at zero. */
export function eventCounts<Name extends string>(): EventCounts<Name> {
  const totals = new Map<Name, number>();
  let waiting: { name: Name; at: number; resolve: () => void }[] = [];
  const total = (name: Name): number => totals.get(name) ?? 0;
  return {
    total,
    count(name) {
      totals.set(name, total(name) + 1);
      const due = waiting.filter((item) => item.name === name && total(name) >= item.at);
      if (due.length === 0) return;
      waiting = waiting.filter((item) => !due.includes(item));
      for (const { resolve } of due) resolve();
    },
    async next(name, times, deadlineMs = 30_000) {
      const at = total(name) + times;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () =>
            reject(
              new Error(
                `no progress: ${String(total(name))} of ${String(at)} "${name}" after ${String(deadlineMs)} ms`,
              ),
            ),
          deadlineMs,
        );
      });
      const reached = new Promise<void>((resolve) => {
        waiting.push({ name, at, resolve });
      });
      try {
        await Promise.race([reached, late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
