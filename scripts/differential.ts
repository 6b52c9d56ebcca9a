/**
 * Plays the same random transactions on devnet and on real Fabric, and compares what comes of them (packages/devnet/README.md, "How it is held to it").
 *
 *   npm run test:differential -- [--json] [--transactions N] [--seed N] [--programs DIR]
 *
 * Fabric's `peer` and `orderer` are taken from PATH, or from DIR. Exit 0: no difference; 1: differences, or it failed; 2: skipped
 * because the programs are not there, or wrong usage.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isWaymarkError } from '@waymark/protocol';
import { runDifferential, type DifferentialResult } from './differential/differential.ts';

const usage = 'npm run test:differential -- [--json] [--transactions N] [--seed N] [--programs DIR]';
const DEFAULT_TRANSACTIONS = 5_000;
const LEAST_SEEN = 20;

class UsageError extends Error {}

async function main(): Promise<number> {
  const { values } = parse();
  const result = await runDifferential({
    seed: whole(values.seed, 'seed', randomInt(2 ** 31)),
    transactions: whole(values.transactions, 'transactions', DEFAULT_TRANSACTIONS),
    ...(values.programs === undefined ? {} : { programsDir: values.programs }),
    print: (text) => void process.stderr.write(`${text}\n`),
  });
  report(result, values.json === true);
  const rare = rareCodes(result);
  if (rare.length > 0) process.stderr.write(`seen fewer than ${LEAST_SEEN} times: ${rare.join(', ')}\n`);
  return result.differences.length === 0 && rare.length === 0 ? 0 : 1;
}

/** In a full run, every code must have been seen often enough to say something. */
function rareCodes({ codes, transactions }: DifferentialResult): string[] {
  if (transactions < DEFAULT_TRANSACTIONS) return [];
  return Object.entries(codes).flatMap(([code, { devnet, fabric }]) =>
    Math.min(devnet, fabric) < LEAST_SEEN ? [code] : [],
  );
}

function report({ differences, ...result }: DifferentialResult, json: boolean): void {
  for (const difference of differences) process.stderr.write(`${JSON.stringify(difference, null, 2)}\n`);
  for (const [code, { devnet, fabric }] of Object.entries(result.codes)) {
    process.stderr.write(`${code.padEnd(32)} devnet ${devnet}, fabric ${fabric}\n`);
  }
  process.stderr.write(
    `${result.transactions} transactions and ${result.evaluations} evaluations on devnet and Fabric ${result.fabricVersion}, seed ${result.seed}: ${differences.length} differences\n`,
  );
  if (json) process.stdout.write(`${JSON.stringify({ ...result, differences: differences.length })}\n`);
}

function parse() {
  try {
    return parseArgs({
      options: {
        json: { type: 'boolean' },
        transactions: { type: 'string' },
        seed: { type: 'string' },
        programs: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function whole(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[0-9]{1,10}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new UsageError(`--${name} takes a whole number from 1 on`);
}

try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const json = process.argv.includes('--json');
  if (isWaymarkError(error, 'program-missing')) {
    process.stderr.write(`skipped: ${message}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ skipped: message })}\n`);
    process.exitCode = 2;
  } else if (error instanceof UsageError) {
    process.stderr.write(`${message}\nusage: ${usage}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ code: 'usage', message })}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
    if (json)
      process.stdout.write(`${JSON.stringify({ code: isWaymarkError(error) ? error.code : 'internal', message })}\n`);
    process.exitCode = 1;
  }
}
