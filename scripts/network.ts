/**
 * `./test-network.sh`: one network in one folder, from `up` to `clean`. Progress goes to stderr, results to stdout.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { errorCodes, isWaymarkError } = await import('@waymark/protocol');
const { readNetworkArguments } = await import('./network/arguments.ts');
const { runVerb } = await import('./network/verbs.ts');

const asJson = process.argv.includes('--json');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

try {
  process.exitCode = await runVerb(readNetworkArguments(process.argv.slice(2)), say);
} catch (error) {
  const known = isWaymarkError(error);
  const code = known ? error.code : 'internal';
  const message = known ? error.message : errorCodes.internal;
  if (asJson) process.stdout.write(`${JSON.stringify({ code, message })}\n`);
  say(
    known
      ? `${code}: ${message}`
      : `internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  // What is asked for cannot be had here, or was not understood: 2. What went wrong: 1.
  process.exitCode = code === 'program-missing' || code === 'input-invalid' ? 2 : 1;
}
