/** One thing that must be so for the process to do its duty. Resolves when it is; throws or rejects when not. */
export interface HealthCheck {
  readonly name: string;
  /** `live`: without it only a restart helps. `ready`: without it no work should be sent here. */
  readonly kind: 'live' | 'ready';
  readonly check: () => void | Promise<void>;
}

/** Outcome of all checks. */
export interface Health {
  readonly live: boolean;
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, 'ok' | 'failing'>>;
}

/** Runs all checks at once; one that takes longer than `timeoutMs` counts as failing. */
export async function checkHealth(checks: readonly HealthCheck[], timeoutMs = 2_000): Promise<Health> {
  const outcomes = await Promise.all(
    checks.map(async ({ name, kind, check }) => ({ name, kind, ok: await passes(check, timeoutMs) })),
  );
  const failing = (kind: HealthCheck['kind']): boolean =>
    outcomes.some((outcome) => outcome.kind === kind && !outcome.ok);
  const live = !failing('live');
  return {
    live,
    ready: live && !failing('ready'),
    checks: Object.fromEntries(outcomes.map(({ name, ok }) => [name, ok ? 'ok' : 'failing'])),
  };
}

async function passes(check: HealthCheck['check'], timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([(async () => check())().then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
