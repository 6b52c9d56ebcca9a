/**
 * Runs the simulator of the private ledger (packages/rsl/sim).
 *
 *   npm run sim -- --seeds N | --seed S | --planted | --control   [--json]
 *
 * Tables go to stderr; with `--json` the result is one line on stdout. Exit 0: every rule held, every planted bug was found, most worlds with too many
 * departments in league were broken and it was noticed; 1: not so; 2: wrong usage.
 */
import { readSimArguments, type SimCommand, SimUsageError, usage } from '../packages/rsl/sim/run/arguments.ts';
import { huntPlanted, replay, runSeeds } from '../packages/rsl/sim/run/command.ts';
import { describeBug } from '../packages/rsl/sim/bugs/planted.ts';

/** What is printed, and whether all is well. */
interface Outcome {
  readonly json: object;
  readonly lines: readonly string[];
  readonly isGood: boolean;
}

async function run(command: SimCommand): Promise<Outcome> {
  switch (command.kind) {
    case 'replay':
      return replayed(command);
    case 'planted':
      return hunted(command);
    case 'seeds':
    case 'control':
      return simulated(command);
  }
}

async function simulated(command: Extract<SimCommand, { kind: 'seeds' | 'control' }>): Promise<Outcome> {
  const report = await runSeeds(command);
  const { seeds, events, violations, blocksConfirmed, centerChanges, faults, seconds } = report;
  const failedSeeds = new Set(report.failures.map(({ seed }) => seed));
  const failures = report.failures.slice(0, 20);
  const lines = [
    `${seeds} seeds, ${events} events (at least ${report.fewestEvents} each), ${blocksConfirmed} blocks confirmed, ${centerChanges} centers, ${seconds} s`,
    ...Object.entries(faults).map(([kind, count]) => `  ${kind.padEnd(28)} ${count}`),
    ...failures.map(({ seed, checker, message, world }) => `seed ${seed}: ${checker}: ${message}\n    ${world}`),
    `${violations} violations in ${failedSeeds.size} seeds`,
  ];
  const json = { seeds, events, violations, blocksConfirmed, centerChanges, faults, seconds, failures };
  return { json, lines, isGood: command.kind === 'control' ? failedSeeds.size > seeds / 2 : violations === 0 };
}

async function hunted({ maxSeeds, threads }: Extract<SimCommand, { kind: 'planted' }>): Promise<Outcome> {
  const { planted, missed, checkers, messages, seconds } = await huntPlanted(maxSeeds, threads);
  const lines = [
    ...planted.map(
      ({ bug, seedsNeeded, checker }) =>
        `${bug.padEnd(26)} ${(seedsNeeded === null ? 'missed' : String(seedsNeeded)).padStart(6)}  ${(checker ?? '').padEnd(18)} ${describeBug(bug)}`,
    ),
    ...Object.entries(checkers).map(
      ([checker, { first, also }]) => `${checker.padEnd(18)} first to find ${first}, noticed ${also} more`,
    ),
    `${planted.length - missed} of ${planted.length} found, ${missed} missed, ${seconds} s`,
  ];
  return { json: { planted, missed, checkers, messages, seconds }, lines, isGood: missed === 0 };
}

function replayed(command: Extract<SimCommand, { kind: 'replay' }>): Outcome {
  const result = replay(command, command.trace ? (line) => process.stdout.write(`${line}\n`) : undefined);
  const lines = [
    `seed ${result.seed}: ${result.events} events, ${result.blocksConfirmed} blocks confirmed, ${result.centerChanges} centers`,
    result.world,
    ...result.violations.map(({ checker, atMs, message }) => `at ${atMs} ms: ${checker}: ${message}`),
    `trace ${result.digest}`,
  ];
  return { json: result, lines, isGood: result.violations.length === 0 };
}

try {
  const { command, json } = readSimArguments(process.argv.slice(2));
  const outcome = await run(command);
  if (json) process.stdout.write(`${JSON.stringify(outcome.json)}\n`);
  else process.stderr.write(`${outcome.lines.join('\n')}\n`);
  process.exitCode = outcome.isGood ? 0 : 1;
} catch (error) {
  if (!(error instanceof SimUsageError)) throw error;
  process.stderr.write(`${error.message}\n${usage}\n`);
  process.exitCode = 2;
}
