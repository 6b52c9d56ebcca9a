/**
 * Runs RSL's scenario files; with `--rewrite` it writes what they print now into them, for a review of the difference.
 *
 *   npm run rsl:scenarios [-- --rewrite]
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rewrite: { type: 'boolean' } } });
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const child = spawn(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, 'packages/rsl/test/scenarios'],
  {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
    env: { ...process.env, RSL_SCENARIOS_REWRITE: values.rewrite === true ? '1' : '0' },
  },
);
child.once('exit', (code) => (process.exitCode = code ?? 1));
