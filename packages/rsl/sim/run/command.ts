import { isPlantedBug, PLANTED_BUGS, type PlantedBug } from '../bugs/planted.ts';
import type { SimCommand } from './arguments.ts';
import { SimUsageError } from './arguments.ts';
import type { HuntResult, SimJob } from './jobs.ts';
import { inParallel } from './parallel.ts';
import { CHECKERS } from './checkers.ts';
import { emptySummary, type SeedResult, type SimSummary, sorted } from './result.ts';
import { runSeed } from './seed.ts';

const WORKER = new URL('./worker.ts', import.meta.url);

/** Seeds that a worker takes at once. */
const CHUNK = 10;

export interface SeedsReport extends SimSummary {
  seconds: number;
}

export interface PlantedReport {
  planted: { bug: PlantedBug; seedsNeeded: number | null; checker: string | null }[];
  /** How many bugs no seed found. */
  missed: number;
  /** Bugs that each checker was the first to find, and those that it noticed too. */
  checkers: Record<string, { first: number; also: number }>;
  messages: Record<string, string>;
  seconds: number;
}

/** Runs many seeds, on several threads. */
export async function runSeeds(command: Extract<SimCommand, { kind: 'seeds' | 'control' }>): Promise<SeedsReport> {
  const startedMs = performance.now();
  const jobs: SimJob[] = [];
  for (let first = command.from; first < command.from + command.count; first += CHUNK) {
    jobs.push({ kind: command.kind, first, count: Math.min(CHUNK, command.from + command.count - first) });
  }
  const total = emptySummary();
  await inParallel(WORKER, jobs, command.threads, (result) => {
    if (result.kind === 'seeds') merge(total, result.summary);
  });
  return { ...sorted(total), seconds: secondsSince(startedMs) };
}

/** Hunts every planted bug, on several threads. */
export async function huntPlanted(maxSeeds: number, threads: number, bugs = PLANTED_BUGS): Promise<PlantedReport> {
  const startedMs = performance.now();
  const found = new Map<PlantedBug, HuntResult>();
  const jobs = bugs.map((bug): SimJob => ({ kind: 'planted', bug, maxSeeds }));
  await inParallel(WORKER, jobs, threads, (result) => {
    if (result.kind === 'planted') found.set(result.hunt.bug, result.hunt);
  });
  const planted = bugs.map((bug) => {
    const { seedsNeeded, checker } = found.get(bug) ?? { seedsNeeded: null, checker: null };
    return { bug, seedsNeeded, checker };
  });
  const checkers: PlantedReport['checkers'] = Object.fromEntries(CHECKERS.map((name) => [name, { first: 0, also: 0 }]));
  const messages: Record<string, string> = {};
  for (const { bug, checker, message, alsoCaughtBy } of found.values()) {
    if (message !== null) messages[bug] = message;
    const first = checkers[checker ?? ''];
    if (first !== undefined) first.first += 1;
    for (const other of alsoCaughtBy) {
      const later = checkers[other];
      if (later !== undefined) later.also += 1;
    }
  }
  const missed = planted.filter(({ seedsNeeded }) => seedsNeeded === null).length;
  return { planted, missed, checkers, messages, seconds: secondsSince(startedMs) };
}

/**
 * Replays one seed.
 * @throws SimUsageError when no such bug can be planted
 */
export function replay(
  { seed, bug }: Extract<SimCommand, { kind: 'replay' }>,
  print: ((line: string) => void) | undefined,
): SeedResult {
  if (bug !== undefined && !isPlantedBug(bug)) throw new SimUsageError(`there is no planted bug "${bug}"`);
  return runSeed(seed, { ...(bug === undefined ? {} : { planted: bug }), ...(print === undefined ? {} : { print }) });
}

function merge(total: SimSummary, part: SimSummary): void {
  total.fewestEvents = total.seeds === 0 ? part.fewestEvents : Math.min(total.fewestEvents, part.fewestEvents);
  total.seeds += part.seeds;
  total.events += part.events;
  total.violations += part.violations;
  total.blocksConfirmed += part.blocksConfirmed;
  total.centerChanges += part.centerChanges;
  for (const [kind, count] of Object.entries(part.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + count;
  total.failures.push(...part.failures);
}

function secondsSince(startedMs: number): number {
  return Math.round(performance.now() - startedMs) / 1000;
}
