/**
 * Runs one benchmark.
 *
 *   npm run bench -- NAME [--json] [--rounds N] [--seconds S] [--runtime RUNTIME] [--data DIR] [--kubo URL]
 *
 * Tables and progress go to stderr; with `--json` the result is one line on stdout. Exit 0: measured; 1: it failed; 2: wrong usage, or a program
 * that it needs is not on PATH.
 */
import { parseArgs } from 'node:util';
import { type Runtime, runtimes } from '@waymark/network';
import { isWaymarkError } from '@waymark/protocol';
import type { SubmitBenchOptions } from './bench/submit.ts';

const usage = 'npm run bench -- NAME [--json] [--rounds N] [--seconds S] [--runtime RUNTIME] [--data DIR] [--kubo URL]';
/** From here on a result can be compared with others (quality bars: five rounds of ten seconds). */
const comparable = { rounds: 5, seconds: 10 };

/** Benchmarks by name; each is loaded when it runs. */
const benchmarks: Readonly<Record<string, (options: SubmitBenchOptions) => Promise<object>>> = {
  devnet: async (options) => (await import('./bench/devnet/devnet.ts')).benchDevnet(options),
  submit: async (options) => (await import('./bench/submit.ts')).benchSubmit(options),
  'rsl-core': async (options) => (await import('./bench/rsl-core.ts')).benchRslCore(options),
  ledger: async (options) => (await import('./bench/ledger/ledger.ts')).benchLedger(options),
  'ledger-log': async (options) => (await import('./bench/ledger-log.ts')).benchLedgerLog(options),
};

class UsageError extends Error {}

async function main(args: readonly string[]): Promise<void> {
  const { name, json, options } = readArguments(args);
  const run = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (run === undefined)
    throw new UsageError(name === '' ? 'no benchmark is named' : `there is no benchmark "${name}"`);
  const result = await run(options);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
}

function readArguments(args: readonly string[]): { name: string; json: boolean; options: SubmitBenchOptions } {
  const { values, positionals } = parse(args);
  const [name = '', ...others] = positionals;
  if (others.length > 0) throw new UsageError('one benchmark at a time');
  const rounds = positive(values.rounds, 'rounds', comparable.rounds);
  const seconds = positive(values.seconds, 'seconds', comparable.seconds);
  const print = (text: string): void => void process.stderr.write(`${text}\n`);
  if (rounds < comparable.rounds || seconds < comparable.seconds) {
    print(`fewer than ${comparable.rounds} rounds of ${comparable.seconds} s: a first impression, not a measurement`);
  }
  return {
    name,
    json: values.json === true,
    options: {
      rounds,
      roundMs: seconds * 1_000,
      runtime: runtimeOf(values.runtime),
      print,
      signal: interrupted(),
      ...(values.data === undefined ? {} : { dataDir: values.data }),
      ...(values.kubo === undefined ? {} : { kuboUrl: values.kubo }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        data: { type: 'string' },
        kubo: { type: 'string' },
        runtime: { type: 'string', default: 'embedded' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function positive(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && value >= 1) return value;
  throw new UsageError(`--${name} takes a whole number from 1 on`);
}

function runtimeOf(text: string): Runtime {
  const found = runtimes.find((runtime) => runtime === text);
  if (found === undefined) throw new UsageError(`--runtime takes ${runtimes.join(' or ')}`);
  return found;
}

/** Ctrl-C and kill end the measurement; what was started is stopped and the temporary folder removed. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort(new Error('interrupted')));
  }
  return controller.signal;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  const code = isUsage ? 'usage' : isWaymarkError(error) ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n`);
  if (isUsage) process.stderr.write(`usage: ${usage}\nbenchmarks: ${Object.keys(benchmarks).join(', ')}\n`);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ code, message })}\n`);
  process.exitCode = isUsage || isWaymarkError(error, 'program-missing') ? 2 : 1;
}
