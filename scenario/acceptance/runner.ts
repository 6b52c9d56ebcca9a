import type { Judged, Outcome, Rule } from './model.ts';

const scenarioTimeoutMs = 360_000;
const maxReasonLength = 600;

/**
 * Runs scenarios one after another. One that throws, takes too long or leaves something dead has failed; what it left is put right
 * before the next. One whose needs are not met is skipped with the reason.
 */
export async function runScenarios<S extends Judged>(
  scenarios: readonly Rule<S>[],
  system: S,
  onOutcome: (outcome: Outcome) => void,
  timeoutMs = scenarioTimeoutMs,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const scenario of scenarios) {
    const { name, serves, needs = [], absences = 0 } = scenario;
    const startMs = performance.now();
    const ended = (state: Outcome['state'], reason?: string): void => {
      const seconds = Math.round(performance.now() - startMs) / 1_000;
      const outcome = { name, serves, state, ...(reason === undefined ? {} : { reason }), seconds };
      outcomes.push(outcome);
      onOutcome(outcome);
    };
    const reasons = needs.flatMap((need) => system.missing(need) ?? []);
    if (reasons.length > 0) {
      ended('skipped', reasons.join('; '));
      continue;
    }
    try {
      await within(timeoutMs + absences * system.awayMs, scenario.run(system));
      await system.checkWell();
      ended('passed');
    } catch (error) {
      ended('failed', reasonOf(error));
      // Whatever it left must not make the next ones fail; what cannot be put right shows in them.
      await system.recover().catch(() => undefined);
    }
  }
  return outcomes;
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${String(limitMs / 1_000)} s`)), limitMs);
  });
  // When it is late its own end does not matter any more.
  work.catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, maxReasonLength);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const place = /scenario\/acceptance\/[^\s)]+/.exec(error.stack ?? '')?.[0];
  const text = `${code}${error.message}`.slice(0, maxReasonLength);
  return place === undefined ? text : `${text} (${place})`;
}

/** The figures of a run, as `--json` prints them. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Counts outcomes. */
export function summaryOf(outcomes: readonly Outcome[]): Summary {
  const count = (state: Outcome['state']): number => outcomes.filter((outcome) => outcome.state === state).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: outcomes.flatMap(({ state, name, reason = '' }) => (state === 'skipped' ? [{ name, reason }] : [])),
  };
}
