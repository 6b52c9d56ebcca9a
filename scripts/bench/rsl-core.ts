import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median, rounded } from './statistics.ts';
import { forPeople, formatTable } from './table.ts';

/** How to measure. */
export interface RslCoreBenchOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly signal: AbortSignal;
  /** For people. */
  readonly print: (text: string) => void;
}

/** One batch size. A record passes the center and, as one of its quorum, a department; both are in the figures. */
export interface RslCoreBatchResult {
  readonly batch: number;
  /** Records through the slower of the two, per second of processor time, collecting garbage included: one core. */
  readonly recordsPerSecond: number;
  readonly centerRecordsPerSecond: number;
  readonly departmentRecordsPerSecond: number;
  /** Inputs (messages, proposals) that the center's core takes. */
  readonly stepsPerSecond: number;
  /** Allocated by one member's core, on average; not what the driver allocates for the submission itself. */
  readonly bytesPerRecord: number;
}

export interface RslCoreBenchResult {
  readonly name: 'rsl-core';
  readonly rounds: number;
  readonly batches: readonly RslCoreBatchResult[];
}

const batchSizes = [1, 8, 64, 512, 4_096];
const maxRoundMs = 1_000;

/**
 * Speed of the pure core (issue bar: 200,000 records/s on one core at 512 records a batch): real SHA-256 trees and CIDs, signatures left out, because
 * they are the driver's choice and the same for one record as for a block full. Each batch size runs in a process of its own.
 */
export function benchRslCore({ rounds, roundMs, signal, print }: RslCoreBenchOptions): Promise<RslCoreBenchResult> {
  const sides = new Map(batchSizes.map((batch) => [batch, [] as RslCoreBatchResult[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [batch, results] of sides) {
      signal.throwIfAborted();
      results.push(measure(batch, Math.min(maxRoundMs, roundMs)));
    }
  }
  const batches = [...sides].map(([batch, results]) => summary(batch, results));
  const heading = ['records a batch', 'records/s', 'center', 'department', 'steps/s', 'bytes/record'];
  const row = (b: RslCoreBatchResult): string[] => [
    String(b.batch),
    forPeople(b.recordsPerSecond),
    forPeople(b.centerRecordsPerSecond),
    forPeople(b.departmentRecordsPerSecond),
    forPeople(b.stepsPerSecond),
    forPeople(b.bytesPerRecord),
  ];
  print(formatTable([heading, ...batches.map(row)]));
  return Promise.resolve({ name: 'rsl-core', rounds, batches });
}

function measure(batch: number, roundMs: number): RslCoreBatchResult {
  const child = spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--max-semi-space-size=128',
      '--min-semi-space-size=128',
      join(import.meta.dirname, 'rsl-core-side.ts'),
      String(batch),
      String(roundMs),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (child.status !== 0) throw new Error(`measuring batches of ${batch} failed`);
  return JSON.parse(child.stdout) as RslCoreBatchResult;
}

function summary(batch: number, results: readonly RslCoreBatchResult[]): RslCoreBatchResult {
  const middle = (of: (result: RslCoreBatchResult) => number): number => rounded(median(results.map(of)));
  return {
    batch,
    recordsPerSecond: middle((r) => r.recordsPerSecond),
    centerRecordsPerSecond: middle((r) => r.centerRecordsPerSecond),
    departmentRecordsPerSecond: middle((r) => r.departmentRecordsPerSecond),
    stepsPerSecond: middle((r) => r.stepsPerSecond),
    bytesPerRecord: middle((r) => r.bytesPerRecord),
  };
}
