/**
 * The acceptance suite on one consortium of the runtime that is asked for (scenario/acceptance). Progress goes to stderr.
 *
 *   npm run test:scenario -- [--runtime native] [--only NAME] [--json] ...
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isWaymarkError } from '@waymark/protocol';
import { runAcceptance } from '../scenario/acceptance/run.ts';
import { scenarios } from '../scenario/acceptance/scenarios/index.ts';
import { chosen, readScenarioArguments } from './scenario/arguments.ts';

/** What is not there cannot be judged: neither passed nor failed. */
const notThere = new Set(['program-missing', 'unsupported']);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

// What a scenario leaves behind must not end the others; what it waits for fails it.
process.on('unhandledRejection', (error) =>
  say(`left behind: ${error instanceof Error ? error.message : String(error)}`),
);
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
process.exitCode = await main();
// Connections of a part that was killed may linger: they must not keep a finished run.
void delay(2_000, undefined, { ref: false }).then(() => process.exit());

async function main(): Promise<number> {
  try {
    const options = readScenarioArguments(process.argv.slice(2));
    const wanted = chosen(scenarios, options.only);
    if (options.list) {
      for (const { name, serves } of wanted) process.stdout.write(`${serves.join(' ')}  ${name}\n`);
      return 0;
    }
    const result = await runAcceptance(wanted, { ...options, say, signal: ending.signal });
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.failed === 0 ? 0 : 1;
  } catch (error) {
    if (!isWaymarkError(error)) throw error;
    say(`${error.code}: ${error.message}`);
    if (process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`);
    return notThere.has(error.code) ? 2 : 1;
  }
}
