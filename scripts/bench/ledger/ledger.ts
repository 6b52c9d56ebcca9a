import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forPeople } from '../table.ts';
import { type LoopRun, runClosedLoop } from './closed-loop.ts';
import { findEtcd } from './etcd/program.ts';
import { etcdClient, etcdNames, startEtcdSide } from './etcd/side.ts';
import { issueIdentities } from './identities.ts';
import {
  describeLedgerBench,
  figuresOf,
  type LedgerBenchResult,
  type ProfileFigures,
  rateOf,
  type WorkloadName,
  workloadNames,
  workloads,
} from './results.ts';
import { outletName, type ProfileName, profiles } from './rsl/plan.ts';
import { startRslSide } from './rsl/side.ts';
import type { Acknowledged, LedgerSide } from './side.ts';

/** How to measure. */
export interface LedgerBenchOptions {
  readonly rounds: number;
  /** Of one side in one round. */
  readonly roundMs: number;
  /** Kept afterwards when given; else a temporary folder. */
  readonly dataDir?: string;
  readonly signal: AbortSignal;
  /** For people. */
  readonly print: (text: string) => void;
}

/** What is stored with a record, besides its key: etcd's value, and what belongs to a record of a batch. */
const recordBytes = 260;
const maxWarmUpMs = 3_000;

/** One way to measure in a round: which side, and what counts as stored. */
interface Turn {
  readonly side: 'peer' | ProfileName;
  readonly until: Acknowledged;
}

/** With a trusted center a sealed block is what etcd's answer is; with a lying one only a confirmed block is final, and the sealed one is told as well. */
const turns: readonly Turn[] = [
  { side: 'peer', until: 'durable' },
  { side: 'trusted', until: 'durable' },
  { side: 'lying', until: 'confirmed' },
  { side: 'lying', until: 'durable' },
];

/**
 * The private ledger against etcd (P2): same records, a quorum's sync before the answer, mutual TLS to the client and between members, each member a
 * process of its own on this machine, in turns.
 *
 * @throws WaymarkError `program-missing` without etcd on PATH
 */
export async function benchLedger(options: LedgerBenchOptions): Promise<LedgerBenchResult> {
  const program = await findEtcd();
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'waymark-bench-')));
  const sides = new Map<Turn['side'], LedgerSide>();
  try {
    const names = [...etcdNames, etcdClient, outletName, ...profiles.lying.members];
    const identities = await issueIdentities(join(dir, 'identities'), names);
    const { signal } = options;
    const maxBatch = Math.max(...workloadNames.map((name) => workloads[name].batch));
    const common = { identities, recordBytes };
    sides.set('peer', await startEtcdSide({ program, folder: join(dir, 'etcd'), maxBatch, signal, ...common }));
    for (const profile of ['trusted', 'lying'] as const) {
      signal.throwIfAborted();
      sides.set(profile, await startRslSide({ profile, folder: join(dir, profile), ...common }));
    }
    const result = await measure(sides, options);
    options.print(describeLedgerBench(result));
    return result;
  } finally {
    for (const side of sides.values()) await side.close();
    if (options.dataDir === undefined) await rm(dir, { recursive: true, force: true });
  }
}

async function measure(
  sides: ReadonlyMap<Turn['side'], LedgerSide>,
  { rounds, roundMs, signal, print }: LedgerBenchOptions,
): Promise<LedgerBenchResult> {
  const stored = new Map<LedgerSide, number>();
  const run = async (turn: Turn, workload: WorkloadName, forMs: number): Promise<LoopRun> => {
    const side = sideOf(sides, turn.side);
    const loop = await runClosedLoop(side, workloads[workload], turn.until, { forMs, signal });
    stored.set(side, (stored.get(side) ?? 0) + loop.records);
    return loop;
  };
  const measured = new Map<WorkloadName, LoopRun[][]>();
  for (const workload of workloadNames) {
    for (const turn of turns) await run(turn, workload, Math.min(maxWarmUpMs, roundMs));
    const runs: LoopRun[][] = turns.map(() => []);
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, turn] of turns.entries()) runs[index]?.push(await run(turn, workload, roundMs));
      const rates = turns.map(({ side, until }, index) => {
        const last = runs[index]?.at(-1);
        return `${side} (${until}) ${last === undefined ? '?' : forPeople(rateOf(last))}/s`;
      });
      print(`${workload}, round ${round}: ${rates.join(', ')}`);
    }
    measured.set(workload, runs);
  }
  for (const [side, records] of stored) {
    const held = await side.stored(records);
    print(`${side.name}: ${records} records acknowledged, the members hold ${held.join(', ')}`);
  }
  return {
    name: 'ledger',
    rounds,
    peer: sideOf(sides, 'peer').name,
    recordBytes,
    workloads,
    profiles: { trusted: profileFigures('trusted', measured), lying: profileFigures('lying', measured) },
  };
}

function profileFigures(
  profile: ProfileName,
  measured: ReadonlyMap<WorkloadName, readonly (readonly LoopRun[])[]>,
): Record<WorkloadName, ProfileFigures> {
  const figures = (workload: WorkloadName): ProfileFigures => {
    const runs = measured.get(workload) ?? [];
    const peer = runs[turns.findIndex(({ side }) => side === 'peer')] ?? [];
    const [first, ...others] = turns.flatMap(({ side, until }, index) =>
      side === profile ? [figuresOf(until, runs[index] ?? [], peer)] : [],
    );
    if (first === undefined) throw new Error(`the profile ${profile} was not measured`);
    const sealed = others.find(({ acknowledged }) => acknowledged === 'durable');
    return sealed === undefined ? first : { ...first, sealed };
  };
  return { single1: figures('single1'), single64: figures('single64'), batched: figures('batched') };
}

function sideOf(sides: ReadonlyMap<Turn['side'], LedgerSide>, name: Turn['side']): LedgerSide {
  const side = sides.get(name);
  if (side === undefined) throw new Error(`the side ${name} was not started`);
  return side;
}
