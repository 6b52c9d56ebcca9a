import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import { processorTimeBetween, processorTimeOf } from '../consumption.ts';
import { lowerQuartile, median, rounded } from '../statistics.ts';
import type { SubmitBenchOptions } from '../submit.ts';
import { forPeople } from '../table.ts';
import { type NetworkSide, startDevnetSide, startFabricSide } from './network-side.ts';

interface Rates {
  readonly submitPerSecond: number;
  readonly evaluatePerSecond: number;
  /** Processor time of the network's own processes, in milliseconds. */
  readonly submitProcessorMs: number;
  readonly evaluateProcessorMs: number;
}

/** The result line of `npm run bench -- devnet --json`. */
export interface DevnetBenchResult {
  readonly name: 'devnet';
  readonly rounds: number;
  readonly inFlight: number;
  readonly devnet: Rates;
  /** Null where Fabric's programs are not on PATH. */
  readonly fabric: Rates | null;
  readonly fabricVersion: string | null;
  /** Devnet to Fabric, submit. */
  readonly ratioMedian: number | null;
  readonly ratioLowerQuartile: number | null;
  readonly evaluateRatioMedian: number | null;
}

const warmUpMs = 3_000;
/** The same on both sides; more did not make either side faster. */
const inFlight = 128;
const value = Buffer.alloc(64, 7);

/**
 * Transactions and evaluations per second of devnet and of native Fabric with the same contract, clients and limits, in turns.
 * Fabric's programs come from PATH; without them devnet is measured alone.
 */
export async function benchDevnet(options: SubmitBenchOptions): Promise<DevnetBenchResult> {
  const { print } = options;
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'waymark-bench-')));
  const sides: NetworkSide[] = [];
  try {
    const devnet = await startDevnetSide(dir);
    sides.push(devnet);
    const fabric = await startFabricSide(dir).catch((error: unknown) => {
      if (!isWaymarkError(error, 'program-missing')) throw error;
      print(`devnet alone: ${error.message}`);
      return undefined;
    });
    if (fabric !== undefined) sides.push(fabric);
    const keys = new Map<NetworkSide, string[]>(sides.map((side) => [side, []]));
    const measure = async (side: NetworkSide, forMs: number): Promise<Rates> => {
      const known = keys.get(side) ?? [];
      const submit = await run(side, forMs / 2, options.signal, async (caller, number) => {
        const key = `${known.length}-${number}`;
        await caller.submit(key, value);
        known.push(key);
      });
      const evaluate = await run(side, forMs / 2, options.signal, async (caller, number) => {
        const answer = await caller.evaluate(known[number % known.length] ?? '');
        if (!value.equals(answer)) throw new Error(`${side.name} did not give back what was stored`);
      });
      return {
        submitPerSecond: submit.perSecond,
        evaluatePerSecond: evaluate.perSecond,
        submitProcessorMs: submit.processorMs,
        evaluateProcessorMs: evaluate.processorMs,
      };
    };
    for (const side of sides) await measure(side, warmUpMs);
    const rounds: { readonly devnet: Rates; readonly fabric: Rates | undefined }[] = [];
    for (let number = 1; number <= options.rounds; number += 1) {
      const round = {
        devnet: await measure(devnet, options.roundMs),
        fabric: fabric === undefined ? undefined : await measure(fabric, options.roundMs),
      };
      rounds.push(round);
      print(`round ${number}: ${describe('devnet', round.devnet)}; ${describe('fabric', round.fabric)}`);
    }
    const ratios = rounds.flatMap(({ devnet: ours, fabric: theirs }) =>
      theirs === undefined
        ? []
        : [
            {
              submit: ours.submitPerSecond / theirs.submitPerSecond,
              evaluate: ours.evaluatePerSecond / theirs.evaluatePerSecond,
            },
          ],
    );
    const submitRatios = ratios.map(({ submit }) => submit);
    const compared = ratios.length > 0;
    const result: DevnetBenchResult = {
      name: 'devnet',
      rounds: rounds.length,
      inFlight,
      devnet: middle(rounds.map(({ devnet: rates }) => rates)),
      fabric: compared ? middle(rounds.flatMap(({ fabric: rates }) => rates ?? [])) : null,
      fabricVersion: fabric?.fabricVersion ?? null,
      ratioMedian: compared ? rounded(median(submitRatios)) : null,
      ratioLowerQuartile: compared ? rounded(lowerQuartile(submitRatios)) : null,
      evaluateRatioMedian: compared ? rounded(median(ratios.map(({ evaluate }) => evaluate))) : null,
    };
    if (compared) {
      print(
        `devnet to Fabric ${result.fabricVersion ?? ''}: submit ${forPeople(result.ratioMedian ?? 0)}×, evaluate ${forPeople(result.evaluateRatioMedian ?? 0)}× (medians)`,
      );
    }
    return result;
  } finally {
    for (const side of sides) await side.close();
    if (options.dataDir === undefined) await rm(dir, { recursive: true, force: true });
  }
}

/** Keeps so many calls under way for so long; gives calls per second. Any failure fails the measurement. */
async function run(
  side: NetworkSide,
  forMs: number,
  signal: AbortSignal,
  call: (caller: NetworkSide['callers'][number], number: number) => Promise<void>,
): Promise<{ readonly perSecond: number; readonly processorMs: number }> {
  const processes = side.pids.map((pid) => ({ name: side.name, pid }));
  const before = await processorTimeOf(processes);
  const startedMs = performance.now();
  let done = 0;
  let started = 0;
  const lane = async (caller: NetworkSide['callers'][number]): Promise<void> => {
    while (performance.now() < startedMs + forMs) {
      signal.throwIfAborted();
      await call(caller, started++);
      done += 1;
    }
  };
  await Promise.all(
    Array.from({ length: inFlight }, (_, index) => {
      const caller = side.callers[index % side.callers.length];
      return caller === undefined ? Promise.resolve() : lane(caller);
    }),
  );
  const perSecond = (done * 1_000) / (performance.now() - startedMs);
  const used = processorTimeBetween(before, await processorTimeOf(processes));
  return { perSecond, processorMs: ((used.get(side.name) ?? 0) * 1_000) / done };
}

function middle(rates: readonly Rates[]): Rates {
  return {
    submitPerSecond: rounded(median(rates.map(({ submitPerSecond }) => submitPerSecond))),
    evaluatePerSecond: rounded(median(rates.map(({ evaluatePerSecond }) => evaluatePerSecond))),
    submitProcessorMs: rounded(median(rates.map(({ submitProcessorMs }) => submitProcessorMs))),
    evaluateProcessorMs: rounded(median(rates.map(({ evaluateProcessorMs }) => evaluateProcessorMs))),
  };
}

function describe(name: string, rates: Rates | undefined): string {
  return rates === undefined
    ? `${name} not here`
    : `${name} ${forPeople(rates.submitPerSecond)} tx/s (${forPeople(rates.submitProcessorMs)} ms CPU each), ${forPeople(rates.evaluatePerSecond)} evaluations/s (${forPeople(rates.evaluateProcessorMs)} ms)`;
}
