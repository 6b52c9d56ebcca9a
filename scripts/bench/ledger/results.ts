import { lowerQuartile, median, quantile, rounded } from '../statistics.ts';
import { forPeople, formatTable } from '../table.ts';
import type { LoopRun, Workload } from './closed-loop.ts';
import type { ProfileName } from './rsl/plan.ts';
import type { Acknowledged } from './side.ts';

/** How both sides are loaded: one record at a time, 64 of them, and units of many records, one transaction each at etcd. */
export const workloads = {
  single1: { batch: 1, inFlight: 1 },
  single64: { batch: 1, inFlight: 64 },
  batched: { batch: 512, inFlight: 8 },
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof workloads;
export const workloadNames = ['single1', 'single64', 'batched'] as const satisfies readonly WorkloadName[];

/** Ours against the peer's in the same rounds. */
export interface Figures {
  /** When ours counted as stored; the peer's always when a quorum held it durably. */
  readonly acknowledged: Acknowledged;
  /** Records per second, median of the rounds. */
  readonly ours: number;
  readonly peer: number;
  /** Of ours / the peer's, round by round. */
  readonly ratioMedian: number;
  readonly ratioLowerQuartile: number;
  /** From handing a unit in to its acknowledgement, over all rounds. */
  readonly p50Ms: number;
  readonly peerP50Ms: number;
  readonly p99Ms: number;
  readonly peerP99Ms: number;
  /** Processor time of all members together for a record, and of the client; microseconds. */
  readonly cpuMicros: number;
  readonly peerCpuMicros: number;
  readonly clientCpuMicros: number;
  readonly peerClientCpuMicros: number;
  /** Handed to the disk by all members together for a record; null where the system does not tell. */
  readonly writtenBytes: number | null;
  readonly peerWrittenBytes: number | null;
}

/** One way to trust, one workload; with a lying center the weaker word, a sealed block, has figures of its own. */
export type ProfileFigures = Figures & { readonly sealed?: Figures };

/** The result line of `npm run bench -- ledger --json`. */
export interface LedgerBenchResult {
  readonly name: 'ledger';
  readonly rounds: number;
  /** Name and version. */
  readonly peer: string;
  readonly recordBytes: number;
  readonly workloads: typeof workloads;
  readonly profiles: Readonly<Record<ProfileName, Readonly<Record<WorkloadName, ProfileFigures>>>>;
}

/** @param ours and @param peer one run for each round, in the same order */
export function figuresOf(acknowledged: Acknowledged, ours: readonly LoopRun[], peer: readonly LoopRun[]): Figures {
  const rates = ours.map(rateOf);
  const peerRates = peer.map(rateOf);
  const ratios = rates.map((rate, round) => rate / (peerRates[round] ?? Number.NaN));
  const latency = (runs: readonly LoopRun[], part: number): number =>
    rounded(
      quantile(
        runs.flatMap(({ latenciesMs }) => latenciesMs),
        part,
      ),
      3,
    );
  return {
    acknowledged,
    ours: rounded(median(rates)),
    peer: rounded(median(peerRates)),
    ratioMedian: rounded(median(ratios), 3),
    ratioLowerQuartile: rounded(lowerQuartile(ratios), 3),
    p50Ms: latency(ours, 0.5),
    peerP50Ms: latency(peer, 0.5),
    p99Ms: latency(ours, 0.99),
    peerP99Ms: latency(peer, 0.99),
    cpuMicros: perRecord(ours, ({ sideSeconds }) => sideSeconds * 1e6),
    peerCpuMicros: perRecord(peer, ({ sideSeconds }) => sideSeconds * 1e6),
    clientCpuMicros: perRecord(ours, ({ clientSeconds }) => clientSeconds * 1e6),
    peerClientCpuMicros: perRecord(peer, ({ clientSeconds }) => clientSeconds * 1e6),
    writtenBytes: writtenPerRecord(ours),
    peerWrittenBytes: writtenPerRecord(peer),
  };
}

export function rateOf({ records, tookMs }: Pick<LoopRun, 'records' | 'tookMs'>): number {
  return (records * 1_000) / tookMs;
}

function perRecord(runs: readonly LoopRun[], of: (run: LoopRun) => number): number {
  const sum = (pick: (run: LoopRun) => number): number => runs.reduce((total, run) => total + pick(run), 0);
  return rounded(sum(of) / sum(({ records }) => records), 3);
}

function writtenPerRecord(runs: readonly LoopRun[]): number | null {
  if (runs.some(({ writtenBytes }) => writtenBytes === null)) return null;
  return perRecord(runs, ({ writtenBytes }) => writtenBytes ?? 0);
}

/** What the bars ask for (P2): as fast with one record at a time and 64 of them under way, three times in batches, p99 no worse. */
const bars: readonly { readonly workload: WorkloadName; readonly ratio: number }[] = [
  { workload: 'single64', ratio: 1 },
  { workload: 'batched', ratio: 3 },
];

/** The tables that people read. */
export function describeLedgerBench({ peer, profiles }: LedgerBenchResult): string {
  const rows = Object.entries(profiles).flatMap(([profile, byWorkload]) =>
    workloadNames.flatMap((workload) => {
      const { sealed, ...figures } = byWorkload[workload];
      return [figures, ...(sealed === undefined ? [] : [sealed])].map((of) => ({ profile, workload, of }));
    }),
  );
  const name = ({ profile, workload, of }: (typeof rows)[number]): string =>
    `${profile}, ${workload}, ${of.acknowledged}`;
  const speed = formatTable([
    ['records/s', 'ours', 'peer', 'ratio', 'lower quartile', 'p50 ms', 'peer', 'p99 ms', 'peer'],
    ...rows.map((row) => [
      name(row),
      ...[
        row.of.ours,
        row.of.peer,
        row.of.ratioMedian,
        row.of.ratioLowerQuartile,
        row.of.p50Ms,
        row.of.peerP50Ms,
        row.of.p99Ms,
        row.of.peerP99Ms,
      ].map(forPeople),
    ]),
  ]);
  const cost = formatTable([
    ['per record', 'CPU, members (µs)', 'peer', 'CPU, client (µs)', 'peer', 'written (bytes)', 'peer'],
    ...rows.map((row) => [
      name(row),
      ...[row.of.cpuMicros, row.of.peerCpuMicros, row.of.clientCpuMicros, row.of.peerClientCpuMicros].map(forPeople),
      ...[row.of.writtenBytes, row.of.peerWrittenBytes].map((bytes) => (bytes === null ? '?' : forPeople(bytes))),
    ]),
  ]);
  const verdicts = Object.entries(profiles).flatMap(([profile, byWorkload]) =>
    bars.map(({ workload, ratio }) => {
      const { ratioMedian, p99Ms, peerP99Ms } = byWorkload[workload];
      const isMet = ratioMedian >= ratio && p99Ms <= peerP99Ms;
      return `P2, ${profile} center, ${workload}: ${isMet ? 'met' : 'missed'} (${forPeople(ratioMedian)} of ${ratio} times; p99 ${forPeople(p99Ms)} against ${forPeople(peerP99Ms)} ms)`;
    }),
  );
  return ['', `peer: ${peer}, 3 members`, '', speed, '', cost, '', ...verdicts].join('\n');
}
