import { findFabricPrograms } from '@waymark/fabric-nodes';
import { checkTopology, readTopology, requireRuntime, type Runtime, type Topology } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';
import { evidenceTopology, runConsortium } from '../support/running-consortium.ts';
import type { Outcome } from './model.ts';
import { runScenarios, type Summary, summaryOf } from './runner.ts';
import { createSystem, type Scenario } from './system.ts';

/** What a run is asked for. */
export interface AcceptanceOptions {
  readonly runtime: Runtime;
  /** Native: the beginning of the version that is wanted; docker: exactly it. */
  readonly fabricVersion: string | undefined;
  readonly topologyFile: string;
  readonly ordering: 'raft' | 'bft' | undefined;
  readonly orderers: number | undefined;
  /** Whether firms keep the private ledgers that the topology gives them. */
  readonly ledgers: boolean;
  readonly keep: boolean;
  readonly awayMs: number;
  /** Takes lines for people. */
  readonly say: (text: string) => void;
  readonly onOutcome?: (outcome: Outcome) => void;
  /** Ends the run early: what was started is stopped and removed. */
  readonly signal?: AbortSignal;
}

/** What a run came to. */
export interface AcceptanceResult extends Summary {
  readonly runtime: Runtime;
  /** Null on devnet. */
  readonly fabricVersion: string | null;
  /** `devnet` where nobody else orders. */
  readonly ordering: 'raft' | 'bft' | 'devnet';
  /** Whether the firms kept private ledgers. */
  readonly ledgers: boolean;
  readonly seconds: number;
}

/**
 * Starts one consortium and runs scenarios on it.
 *
 * @throws WaymarkError unavailable: it was ended early; program-missing, unsupported: what was asked for is not there; configuration-invalid: the topology
 */
export async function runAcceptance(
  scenarios: readonly Scenario[],
  options: AcceptanceOptions,
): Promise<AcceptanceResult> {
  const { runtime, awayMs, keep, say } = options;
  const startMs = performance.now();
  const topology = await topologyOf(options);
  await requireRuntime(runtime);
  await requireVersion(options);
  const { fabricVersion: version } = options;
  const docker = runtime === 'docker' && version !== undefined ? { fabricVersion: version } : {};
  const running = await runConsortium({ runtime, topology, keep, onProgress: say, ...docker });
  const opened = createSystem(running, { awayMs });
  let outcomes: Outcome[] = [];
  try {
    const { fabricVersion } = running.consortium.channel;
    const place = `${runtime}${fabricVersion === undefined ? '' : ` ${fabricVersion}`}`;
    say(`${String(scenarios.length)} scenarios on ${place}${options.ledgers ? ', with private ledgers' : ''}`);
    const work = runScenarios(scenarios, opened.system, (outcome) => {
      if (options.signal?.aborted === true) return;
      say(lineOf(outcome));
      options.onOutcome?.(outcome);
    });
    // What it still does comes to nothing then, which is nobody's failure.
    work.catch(() => undefined);
    outcomes = await Promise.race([work, aborted(options.signal)]);
    const summary = summaryOf(outcomes);
    const seconds = Math.round(performance.now() - startMs) / 1_000;
    const { passed, failed, skipped } = summary;
    say(`${String(passed)} passed, ${String(failed)} failed, ${String(skipped.length)} skipped, ${String(seconds)} s`);
    const { type: ordering } = await running.consortium.channel.ordering();
    return { runtime, fabricVersion: fabricVersion ?? null, ordering, ledgers: options.ledgers, ...summary, seconds };
  } finally {
    await opened.close();
    await running.end();
    if (keep) say(`kept: ${running.folder}`);
  }
}

/** One line for people. */
export function lineOf({ name, serves, state, reason, seconds }: Outcome): string {
  return `${state.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s  ${name} [${serves.join(' ')}]${reason === undefined ? '' : `: ${reason}`}`;
}

/** Never resolves. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(new WaymarkError('unavailable', 'the run was ended early'));
    if (signal?.aborted === true) end();
    signal?.addEventListener('abort', end, { once: true });
  });
}

async function topologyOf(options: AcceptanceOptions): Promise<Topology> {
  const { runtime, topologyFile, ordering, orderers, ledgers } = options;
  const topology = ledgers ? await readTopology(topologyFile) : await evidenceTopology(topologyFile);
  if (runtime === 'embedded' && (ordering ?? orderers ?? 'raft') !== 'raft') {
    throw new WaymarkError('unsupported', 'devnet orders by itself: other orderers need the runtime native or docker');
  }
  const changes = {
    ...(ordering === undefined ? {} : { type: ordering }),
    ...(orderers === undefined ? {} : { orderers }),
  };
  return checkTopology({ ...topology, ordering: { ...topology.ordering, ...changes } }, topologyFile);
}

async function requireVersion({ runtime, fabricVersion }: AcceptanceOptions): Promise<void> {
  if (runtime !== 'native' || fabricVersion === undefined) return;
  const { version } = await findFabricPrograms();
  if (version === fabricVersion || version.startsWith(`${fabricVersion}.`)) return;
  throw new WaymarkError('program-missing', `Fabric ${fabricVersion} is asked for, ${version} is on PATH`);
}
