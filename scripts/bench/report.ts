import type { Runtime } from '@waymark/network';
import { addProcessorTimes, type ProcessorTime } from './consumption.ts';
import { rateOf, type SideRun } from './side.ts';
import { spreadOf } from './statistics.ts';
import { forPeople, formatTable } from './table.ts';

/** The result line of `npm run bench -- submit --json`. */
export interface SubmitBenchResult {
  readonly name: 'submit';
  readonly runtime: Runtime;
  /** Null on devnet. */
  readonly fabricVersion: string | null;
  readonly rounds: number;
  readonly batchedPerSecond: number;
  readonly naivePerSecond: number;
  readonly naiveConcurrency: number;
  readonly ratioMedian: number;
  readonly ratioLowerQuartile: number;
  readonly onChainBytesPerRecord: number;
  readonly rawOnChainBytesPerRecord: number;
  /** P6, of the batched side: 99 % of records were anchored so soon after they were accepted. */
  readonly acceptedToAnchoredP99Ms: number;
}

/** What one side did and used in one round. */
export interface WatchedRun {
  readonly run: SideRun;
  /** Growth of one peer's block files. */
  readonly blockBytes: number;
  /** Growth of everything on disk: all peers, the orderer, services, content stores. */
  readonly diskBytes: number;
  readonly processor: ProcessorTime;
}

/** One A and one B. */
export interface Round {
  readonly batched: WatchedRun;
  readonly naive: WatchedRun;
}

/** The tables that people read. */
export function describeRounds(rounds: readonly Round[], result: SubmitBenchResult): string {
  const rates = rounds.map(({ batched, naive }) => [rateOf(batched.run), rateOf(naive.run)] as const);
  const columns = [
    rates.map(([batched]) => batched),
    rates.map(([, naive]) => naive),
    rates.map(([batched, naive]) => batched / naive),
  ].map((values) => ({ values, spread: spreadOf(values) }));
  const row = (name: string, pick: (column: (typeof columns)[number]) => number | undefined): string[] => [
    name,
    ...columns.map((column) => forPeople(pick(column) ?? Number.NaN)),
  ];
  const speed = formatTable([
    ['records/s', 'batched', 'naive', 'ratio'],
    ...rounds.map((_, index) => row(`round ${index + 1}`, ({ values }) => values[index])),
    row('median', ({ spread }) => spread.median),
    row('lower quartile', ({ spread }) => spread.lowerQuartile),
    row('min', ({ spread }) => spread.min),
    row('max', ({ spread }) => spread.max),
  ]);
  const batched = totalOf(rounds.map((round) => round.batched));
  const naive = totalOf(rounds.map((round) => round.naive));
  const names = [...new Set([...batched.processor.keys(), ...naive.processor.keys()])];
  const perRecord = formatTable([
    ['per record', 'batched', 'naive'],
    ['on chain, one peer (bytes)', ...[batched, naive].map((side) => forPeople(side.blockBytes / side.records))],
    ['on disk, everywhere (bytes)', ...[batched, naive].map((side) => forPeople(side.diskBytes / side.records))],
    ...names.map((name) => [
      `CPU: ${name} (µs)`,
      ...[batched, naive].map((side) => forPeople(((side.processor.get(name) ?? 0) * 1e6) / side.records)),
    ]),
    ['records', ...[batched, naive].map((side) => side.records.toLocaleString('en-US'))],
    ['refused or timed out', ...[batched, naive].map((side) => side.failed.toLocaleString('en-US'))],
  ]);
  const share = (result.onChainBytesPerRecord / result.rawOnChainBytesPerRecord) * 100;
  return [
    '',
    speed,
    '',
    perRecord,
    '',
    `naive: ${result.naiveConcurrency} records at once (the best of the sweep); raw data on chain: ${forPeople(result.rawOnChainBytesPerRecord)} bytes per record`,
    `accepted to anchored: 99 % within ${forPeople(result.acceptedToAnchoredP99Ms)} ms`,
    `batched is ${forPeople(result.ratioMedian)} times as fast (median) and puts ${forPeople(share)} % of raw data's bytes on the chain`,
  ].join('\n');
}

function totalOf(runs: readonly WatchedRun[]): {
  records: number;
  failed: number;
  blockBytes: number;
  diskBytes: number;
  processor: ProcessorTime;
} {
  const sum = (pick: (run: WatchedRun) => number): number => runs.reduce((total, run) => total + pick(run), 0);
  return {
    records: sum(({ run }) => run.records),
    failed: sum(({ run }) => run.failed),
    blockBytes: sum(({ blockBytes }) => blockBytes),
    diskBytes: sum(({ diskBytes }) => diskBytes),
    processor: addProcessorTimes(runs.map(({ processor }) => processor)),
  };
}
