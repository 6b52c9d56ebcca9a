import { processorTimeBetween, processorTimeOf, type WatchedProcess, writtenBytesOf } from '../consumption.ts';
import type { Acknowledged, LedgerSide } from './side.ts';

/** How a side is loaded. */
export interface Workload {
  /** Records in one unit. */
  readonly batch: number;
  /** Units under way at once; the next begins when one is acknowledged. */
  readonly inFlight: number;
}

/** What one round on one side came to. */
export interface LoopRun {
  readonly records: number;
  /** From the first unit to the last acknowledgement. */
  readonly tookMs: number;
  /** Of each unit. */
  readonly latenciesMs: readonly number[];
  /** Processor time, in seconds: of the side, and of its client. */
  readonly sideSeconds: number;
  readonly clientSeconds: number;
  /** Handed to the disk by the side's processes; `null` where the system does not tell. */
  readonly writtenBytes: number | null;
}

/** Keeps so many units under way for so long, and waits for the last. Any failure fails the measurement. */
export async function runClosedLoop(
  side: LedgerSide,
  { batch, inFlight }: Workload,
  until: Acknowledged,
  { forMs, signal }: { readonly forMs: number; readonly signal: AbortSignal },
): Promise<LoopRun> {
  const watched: WatchedProcess[] = [
    ...side.processes.map(({ pid }) => ({ name: 'side', pid })),
    { name: 'client', pid: process.pid },
  ];
  const latenciesMs: number[] = [];
  const [timeBefore, writtenBefore] = [await processorTimeOf(watched), await writtenBytesOf(side.processes)];
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    while (performance.now() < startedMs + forMs) {
      signal.throwIfAborted();
      const begunMs = performance.now();
      await side.put(batch, until);
      latenciesMs.push(performance.now() - begunMs);
    }
  };
  const interruption = interruptionOf(signal);
  try {
    await Promise.race([Promise.all(Array.from({ length: inFlight }, lane)), side.failed, interruption.came]);
  } finally {
    interruption.forget();
  }
  const tookMs = performance.now() - startedMs;
  const used = processorTimeBetween(timeBefore, await processorTimeOf(watched));
  const written = await writtenBytesOf(side.processes);
  return {
    records: latenciesMs.length * batch,
    tookMs,
    latenciesMs,
    sideSeconds: used.get('side') ?? Number.NaN,
    clientSeconds: used.get('client') ?? Number.NaN,
    writtenBytes: written === null || writtenBefore === null ? null : written - writtenBefore,
  };
}

/** Rejects with the signal's reason, until it is forgotten. */
function interruptionOf(signal: AbortSignal): { readonly came: Promise<never>; forget(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const listener = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', listener, { once: true });
  return { came: promise, forget: () => signal.removeEventListener('abort', listener) };
}
