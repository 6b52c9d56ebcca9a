import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import type { SubmitBenchOptions } from '../submit.ts';
import { runLoad, type Load } from './load.ts';
import { type NetworkSide, startDevnetSide, startFabricSide } from './network-side.ts';
import {
  describeResult,
  describeRound,
  summarise,
  type DevnetBenchResult,
  type Round,
  type Saturated,
  type Sequential,
} from './results.ts';

const warmUpMs = 3_000;
const sequentialMs = 2_000;
/** The same on both sides; more did not make either side faster. */
const inFlight = 128;
const value = Buffer.alloc(64, 7);
/** Of what the last measurement took, so much is signed in advance. */
const preparedSurplus = 1.3;

/**
 * Transactions and evaluations per second of devnet and of native Fabric with the same contract, clients and limits, in turns.
 * Fabric's programs come from PATH; without them devnet is measured alone.
 */
export async function benchDevnet(options: SubmitBenchOptions): Promise<DevnetBenchResult> {
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'waymark-bench-')));
  try {
    const sequential = await onBothSides(join(dir, 'sequential'), 1, options, async (sides) => {
      await sides.inTurns((side) => measureSequential(side, options), 1);
      return sides.inTurns((side) => measureSequential(side, options), options.rounds);
    });
    const { rounds, fabricVersion } = await onBothSides(join(dir, 'saturated'), 50, options, async (sides) => {
      const measure = createSaturation(options);
      await sides.inTurns((side) => measure(side, warmUpMs), 1);
      const measured = await sides.inTurns(
        (side) => measure(side, options.roundMs),
        options.rounds,
        (round, number) =>
          options.print(
            `round ${number}: ${describeRound('devnet', round.devnet)}; ${describeRound('fabric', round.fabric)}`,
          ),
      );
      return { rounds: measured, fabricVersion: sides.fabricVersion };
    });
    const result = summarise({ inFlight, saturated: rounds, sequential, fabricVersion });
    options.print(describeResult(result));
    return result;
  } finally {
    if (options.dataDir === undefined) await rm(dir, { recursive: true, force: true });
  }
}

interface BothSides {
  readonly fabricVersion: string | undefined;
  inTurns<T>(
    measure: (side: NetworkSide) => Promise<T>,
    rounds: number,
    done?: (round: Round<T>, number: number) => void,
  ): Promise<Round<T>[]>;
}

/** Starts both networks, or devnet alone, and stops them. */
async function onBothSides<T>(
  dir: string,
  maxMessageCount: number,
  { print, signal }: SubmitBenchOptions,
  use: (sides: BothSides) => Promise<T>,
): Promise<T> {
  await mkdir(dir, { recursive: true });
  const sides: NetworkSide[] = [];
  try {
    const devnet = await startDevnetSide(dir, { maxMessageCount });
    sides.push(devnet);
    signal.throwIfAborted();
    const fabric = await startFabricSide(dir, { maxMessageCount }).catch((error: unknown) => {
      if (!isWaymarkError(error, 'program-missing')) throw error;
      print(`devnet alone: ${error.message}`);
      return undefined;
    });
    if (fabric !== undefined) sides.push(fabric);
    return await use({
      fabricVersion: fabric?.fabricVersion,
      inTurns: async (measure, rounds, done) => {
        const measured: Round<Awaited<ReturnType<typeof measure>>>[] = [];
        for (let number = 1; number <= rounds; number += 1) {
          const round = {
            devnet: await measure(devnet),
            fabric: fabric === undefined ? undefined : await measure(fabric),
          };
          measured.push(round);
          done?.(round, number);
        }
        return measured;
      },
    });
  } finally {
    for (const side of sides) await side.close();
  }
}

async function measureSequential(side: NetworkSide, { signal }: SubmitBenchOptions): Promise<Sequential> {
  const shared = { inFlight: 1, forMs: sequentialMs / 2, signal, preparedCalls: 0 };
  const submit = await runLoad(side, {
    ...shared,
    prepare: (caller) => caller.preparePut('sequential', value),
    call: (caller, prepared) => caller.submit(prepared),
  });
  const evaluate = await runLoad(side, {
    ...shared,
    prepare: (caller) => caller.prepareGet('sequential'),
    call: async (caller, prepared) => checkStored(side, await caller.evaluate(prepared)),
  });
  return { submitMs: 1_000 / submit.perSecond, evaluateMs: 1_000 / evaluate.perSecond };
}

function createSaturation({ signal }: SubmitBenchOptions): (side: NetworkSide, forMs: number) => Promise<Saturated> {
  const known = new Map<NetworkSide, { readonly keys: string[]; last: Saturated | undefined }>();
  return async (side, forMs) => {
    const memory = known.get(side) ?? { keys: [], last: undefined };
    known.set(side, memory);
    const { keys, last } = memory;
    const shared = { inFlight, forMs: forMs / 2, signal };
    const needed = (load: Load | undefined): number =>
      Math.ceil(((load?.perSecond ?? 0) * preparedSurplus * forMs) / 2 / 1_000);
    const first = keys.length;
    const keyOf = (number: number): string => `${first}-${number}`;
    const submit = await runLoad(side, {
      ...shared,
      preparedCalls: needed(last?.submit),
      prepare: (caller, number) => caller.preparePut(keyOf(number), value),
      call: async (caller, prepared, number) => {
        await caller.submit(prepared);
        keys.push(keyOf(number));
      },
    });
    const evaluate = await runLoad(side, {
      ...shared,
      preparedCalls: needed(last?.evaluate),
      prepare: (caller, number) => caller.prepareGet(keys[number % keys.length] ?? ''),
      call: async (caller, prepared) => checkStored(side, await caller.evaluate(prepared)),
    });
    return (memory.last = { submit, evaluate });
  };
}

function checkStored(side: NetworkSide, answer: Uint8Array): void {
  if (!value.equals(answer)) throw new Error(`${side.name} did not give back what was stored`);
}
