import { runSeed } from './seed.ts';
import { addSeed, emptySummary, type SimSummary } from './result.ts';
import type { PlantedBug } from '../bugs/planted.ts';

/** One piece of work for a worker thread. */
export type SimJob =
  | { readonly kind: 'seeds'; readonly first: number; readonly count: number }
  | { readonly kind: 'control'; readonly first: number; readonly count: number }
  | { readonly kind: 'planted'; readonly bug: PlantedBug; readonly maxSeeds: number };

/** How a planted bug was found. `seedsNeeded` is null when no seed found it. */
export interface HuntResult {
  readonly bug: PlantedBug;
  readonly seedsNeeded: number | null;
  readonly checker: string | null;
  readonly message: string | null;
  /** Checkers that noticed later in the same run. */
  readonly alsoCaughtBy: readonly string[];
}

/** Events that a hunt goes on for when the bug is found. */
const EVENTS_AFTER = 1_500;

export type SimJobResult =
  { readonly kind: 'seeds'; readonly summary: SimSummary } | { readonly kind: 'planted'; readonly hunt: HuntResult };

export function runJob(job: SimJob): SimJobResult {
  if (job.kind === 'planted') return { kind: 'planted', hunt: hunt(job.bug, job.maxSeeds) };
  const summary = emptySummary();
  for (let seed = job.first; seed < job.first + job.count; seed += 1) {
    addSeed(summary, runSeed(seed, { overcolluding: job.kind === 'control' }));
  }
  return { kind: 'seeds', summary };
}

/** Runs seeds 1, 2, ... with a bug planted until a checker notices. */
export function hunt(bug: PlantedBug, maxSeeds: number): HuntResult {
  for (let seed = 1; seed <= maxSeeds; seed += 1) {
    const [violation, ...others] = runSeed(seed, { planted: bug, eventsAfterViolation: EVENTS_AFTER }).violations;
    if (violation === undefined) continue;
    const { checker, message } = violation;
    const alsoCaughtBy = others.map((other) => other.checker);
    return { bug, seedsNeeded: seed, checker, message: `seed ${seed}: ${message}`, alsoCaughtBy };
  }
  return { bug, seedsNeeded: null, checker: null, message: null, alsoCaughtBy: [] };
}
