/** A rule that did not hold: which checker noticed, when, and what it saw. */
export interface Violation {
  readonly checker: string;
  readonly atMs: number;
  readonly message: string;
}

/** What one seed came to. */
export interface SeedResult {
  readonly seed: number;
  readonly events: number;
  readonly violations: readonly Violation[];
  /** Blocks that were confirmed, each height counted once. */
  readonly blocksConfirmed: number;
  /** Terms in which a center took over, the first one included. */
  readonly centerChanges: number;
  readonly faults: Readonly<Record<string, number>>;
  /** SHA-256 over the whole trace. */
  readonly digest: string;
  /** What kind of world it was, for the reader of a failure. */
  readonly world: string;
}

/** What many seeds came to. */
export interface SimSummary {
  seeds: number;
  events: number;
  violations: number;
  blocksConfirmed: number;
  centerChanges: number;
  faults: Record<string, number>;
  fewestEvents: number;
  failures: { seed: number; checker: string; message: string; world: string }[];
}

export function emptySummary(): SimSummary {
  return {
    seeds: 0,
    events: 0,
    violations: 0,
    blocksConfirmed: 0,
    centerChanges: 0,
    faults: {},
    fewestEvents: 0,
    failures: [],
  };
}

/** Adds a seed to a summary. Sums and sorted lists only: the order in which seeds finish does not show. */
export function addSeed(summary: SimSummary, result: SeedResult): void {
  summary.fewestEvents = summary.seeds === 0 ? result.events : Math.min(summary.fewestEvents, result.events);
  summary.seeds += 1;
  summary.events += result.events;
  summary.violations += result.violations.length;
  summary.blocksConfirmed += result.blocksConfirmed;
  summary.centerChanges += result.centerChanges;
  for (const [kind, count] of Object.entries(result.faults)) summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
  for (const { checker, message } of result.violations) {
    summary.failures.push({ seed: result.seed, checker, message, world: result.world });
  }
}

/** A summary in the order in which it is printed. */
export function sorted(summary: SimSummary): SimSummary {
  const faults: Record<string, number> = {};
  for (const kind of Object.keys(summary.faults).sort()) faults[kind] = summary.faults[kind] ?? 0;
  return { ...summary, faults, failures: [...summary.failures].sort((a, b) => a.seed - b.seed) };
}
