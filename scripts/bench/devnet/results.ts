import { lowerQuartile, median, rounded } from '../statistics.ts';
import { formatTable, forPeople } from '../table.ts';
import type { Load } from './load.ts';

/** One side's figures: rates with many calls under way, the time of one alone, and processor time for each call. */
export interface SideFigures {
  readonly submitPerSecond: number;
  readonly evaluatePerSecond: number;
  /** One call at a time, each transaction in its own block: how long a developer's test waits. */
  readonly sequentialSubmitMs: number;
  readonly sequentialEvaluateMs: number;
  /** Processor time of the network's own processes, in milliseconds. */
  readonly submitProcessorMs: number;
  readonly evaluateProcessorMs: number;
  /** Processor time of contracts and client together: the machine has to give it on either side. */
  readonly submitOthersMs: number;
  readonly evaluateOthersMs: number;
}

/** The result line of `npm run bench -- devnet --json`. */
export interface DevnetBenchResult {
  readonly name: 'devnet';
  readonly rounds: number;
  readonly inFlight: number;
  readonly devnet: SideFigures;
  /** Null where Fabric's programs are not on PATH. */
  readonly fabric: SideFigures | null;
  readonly fabricVersion: string | null;
  /** Devnet to Fabric, submit. */
  readonly ratioMedian: number | null;
  readonly ratioLowerQuartile: number | null;
  readonly evaluateRatioMedian: number | null;
  /** Fabric to devnet: how much longer one submit alone takes, and how much more processor time each call takes. */
  readonly sequentialSubmitRatio: number | null;
  readonly submitProcessorRatio: number | null;
  readonly evaluateProcessorRatio: number | null;
}

/** With many calls under way. */
export interface Saturated {
  readonly submit: Load;
  readonly evaluate: Load;
}

/** One call at a time. */
export interface Sequential {
  readonly submitMs: number;
  readonly evaluateMs: number;
}

/** Both sides, one directly after the other. */
export interface Round<T> {
  readonly devnet: T;
  readonly fabric: T | undefined;
}

export interface Measured {
  readonly inFlight: number;
  readonly saturated: readonly Round<Saturated>[];
  readonly sequential: readonly Round<Sequential>[];
  readonly fabricVersion: string | undefined;
}

export function summarise({ inFlight, saturated, sequential, fabricVersion }: Measured): DevnetBenchResult {
  const devnet = figures(
    saturated.map((round) => round.devnet),
    sequential.map((round) => round.devnet),
  );
  const fabricSaturated = saturated.flatMap((round) => round.fabric ?? []);
  const fabricSequential = sequential.flatMap((round) => round.fabric ?? []);
  const fabric = fabricSaturated.length === 0 ? null : figures(fabricSaturated, fabricSequential);
  const ratios = (rate: (side: Saturated) => number): number[] =>
    saturated.flatMap((round) => (round.fabric === undefined ? [] : [rate(round.devnet) / rate(round.fabric)]));
  const submitRatios = ratios(({ submit }) => submit.perSecond);
  const ofBoth = (value: (side: SideFigures) => number): number | null =>
    fabric === null ? null : rounded(value(fabric) / value(devnet));
  return {
    name: 'devnet',
    rounds: saturated.length,
    inFlight,
    devnet,
    fabric,
    fabricVersion: fabricVersion ?? null,
    ratioMedian: fabric === null ? null : rounded(median(submitRatios)),
    ratioLowerQuartile: fabric === null ? null : rounded(lowerQuartile(submitRatios)),
    evaluateRatioMedian: fabric === null ? null : rounded(median(ratios(({ evaluate }) => evaluate.perSecond))),
    sequentialSubmitRatio: ofBoth((side) => side.sequentialSubmitMs),
    submitProcessorRatio: ofBoth((side) => side.submitProcessorMs),
    evaluateProcessorRatio: ofBoth((side) => side.evaluateProcessorMs),
  };
}

export function describeRound(name: string, round: Saturated | undefined): string {
  if (round === undefined) return `${name} not here`;
  const load = ({ perSecond, networkMs, contractsMs, clientMs }: Load): string =>
    `${forPeople(perSecond)}/s (ms CPU each: network ${forPeople(networkMs)}, contracts ${forPeople(contractsMs)}, client ${forPeople(clientMs)})`;
  return `${name} submit ${load(round.submit)}, evaluate ${load(round.evaluate)}`;
}

export function describeResult(result: DevnetBenchResult): string {
  const sides = [result.devnet, ...(result.fabric === null ? [] : [result.fabric])];
  const row = (name: string, value: (side: SideFigures) => number, ratio: number | null): string[] => [
    name,
    ...sides.map((side) => forPeople(value(side))),
    ...(ratio === null ? [] : [`${forPeople(ratio)}×`]),
  ];
  return formatTable([
    [
      'medians',
      'devnet',
      ...(result.fabric === null ? [] : [`Fabric ${result.fabricVersion ?? ''}`, 'devnet better by']),
    ],
    row('submit/s', (side) => side.submitPerSecond, result.ratioMedian),
    row('evaluate/s', (side) => side.evaluatePerSecond, result.evaluateRatioMedian),
    row('one submit alone, ms', (side) => side.sequentialSubmitMs, result.sequentialSubmitRatio),
    row(
      'one evaluate alone, ms',
      (side) => side.sequentialEvaluateMs,
      ratioOf(result, (side) => side.sequentialEvaluateMs),
    ),
    row('CPU of the network per submit, ms', (side) => side.submitProcessorMs, result.submitProcessorRatio),
    row('CPU of the network per evaluate, ms', (side) => side.evaluateProcessorMs, result.evaluateProcessorRatio),
    row('CPU of contracts and client per submit, ms', (side) => side.submitOthersMs, null),
    row('CPU of contracts and client per evaluate, ms', (side) => side.evaluateOthersMs, null),
  ]);
}

function ratioOf({ devnet, fabric }: DevnetBenchResult, value: (side: SideFigures) => number): number | null {
  return fabric === null ? null : value(fabric) / value(devnet);
}

function figures(saturated: readonly Saturated[], sequential: readonly Sequential[]): SideFigures {
  const of = (value: (side: Saturated) => number): number => rounded(median(saturated.map(value)));
  const alone = (value: (side: Sequential) => number): number => rounded(median(sequential.map(value)));
  return {
    submitPerSecond: of(({ submit }) => submit.perSecond),
    evaluatePerSecond: of(({ evaluate }) => evaluate.perSecond),
    sequentialSubmitMs: alone(({ submitMs }) => submitMs),
    sequentialEvaluateMs: alone(({ evaluateMs }) => evaluateMs),
    submitProcessorMs: of(({ submit }) => submit.networkMs),
    evaluateProcessorMs: of(({ evaluate }) => evaluate.networkMs),
    submitOthersMs: of(({ submit }) => submit.contractsMs + submit.clientMs),
    evaluateOthersMs: of(({ evaluate }) => evaluate.contractsMs + evaluate.clientMs),
  };
}
