import { processorTimeBetween, processorTimeOf } from '../consumption.ts';
import type { Caller } from './caller.ts';
import type { NetworkSide } from './network-side.ts';
import type { PreparedCall } from './proposals.ts';

/** What one kind of call cost on one side. */
export interface Load {
  readonly perSecond: number;
  /** Processor time of the network's own processes for one call, in milliseconds. */
  readonly networkMs: number;
  /** The same of the contracts, and of the client. */
  readonly contractsMs: number;
  readonly clientMs: number;
}

export interface LoadPlan {
  readonly inFlight: number;
  readonly forMs: number;
  readonly signal: AbortSignal;
  /** Signed before the clock starts; what turns out to be too few is signed on the way. */
  readonly preparedCalls: number;
  prepare(caller: Caller, number: number): PreparedCall;
  call(caller: Caller, prepared: PreparedCall, number: number): Promise<void>;
}

/** Keeps so many calls under way for so long. Any failure fails the measurement. */
export async function runLoad(side: NetworkSide, plan: LoadPlan): Promise<Load> {
  const { inFlight, forMs, signal } = plan;
  const lanes = Array.from({ length: inFlight }, (_, index) => ({
    caller: callerOf(side, index),
    prepared: [] as { readonly number: number; readonly call: PreparedCall }[],
  }));
  let number = 0;
  const prepareNext = (caller: Caller): { number: number; call: PreparedCall } => {
    const next = number++;
    return { number: next, call: plan.prepare(caller, next) };
  };
  for (let index = 0; index < plan.preparedCalls; index += 1) {
    const lane = lanes[index % inFlight];
    if (lane !== undefined) lane.prepared.push(prepareNext(lane.caller));
  }
  const processes = [
    ...side.networkPids.map((pid) => ({ name: 'network', pid })),
    ...side.contractPids.map((pid) => ({ name: 'contracts', pid })),
    { name: 'client', pid: process.pid },
  ];
  const before = await processorTimeOf(processes);
  const startedMs = performance.now();
  let done = 0;
  await Promise.all(
    lanes.map(async ({ caller, prepared }) => {
      while (performance.now() < startedMs + forMs) {
        signal.throwIfAborted();
        const next = prepared.pop() ?? prepareNext(caller);
        await plan.call(caller, next.call, next.number);
        done += 1;
      }
    }),
  );
  const tookMs = performance.now() - startedMs;
  const used = processorTimeBetween(before, await processorTimeOf(processes));
  const each = (name: string): number => ((used.get(name) ?? 0) * 1_000) / done;
  return {
    perSecond: (done * 1_000) / tookMs,
    networkMs: each('network'),
    contractsMs: each('contracts'),
    clientMs: each('client'),
  };
}

function callerOf(side: NetworkSide, index: number): Caller {
  const caller = side.callers[index % side.callers.length];
  if (caller === undefined) throw new Error(`${side.name} has no clients`);
  return caller;
}
