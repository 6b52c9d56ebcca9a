/**
 * Runs the test suites with jest.
 *
 *   node scripts/test.ts [--long] [--results FILE] [jest arguments]
 *
 * Without `--long`: everything but files named `*.long.test.ts`; with it: those alone. `--results` appends a JSON line
 * {suite, passed, failed, skipped} to FILE.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { ensureChaincodeBuilt } from './build-chaincode.ts';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);
const long = take('--long');
const resultsFile = takeValue('--results');

await ensureChaincodeBuilt();
if (process.env['WAYMARK_DATA'] === undefined) {
  process.stderr.write('WAYMARK_DATA is not set: tests that need published vectors or real data are skipped.\n');
}

const scratch = mkdtempSync(join(tmpdir(), 'waymark-test-'));
const report = join(scratch, 'report.json');
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const child = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    jest,
    // First: jest takes every word behind a list of patterns for one more of them.
    ...args,
    '--rootDir',
    root,
    '--maxWorkers=2',
    '--json',
    `--outputFile=${report}`,
    ...(long
      ? ['--testPathPatterns', '\\.long\\.test\\.ts$']
      : ['--testPathIgnorePatterns', '/node_modules/', '\\.long\\.test\\.ts$']),
  ],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
const code = await new Promise<number>((resolve) => child.once('exit', (exitCode) => resolve(exitCode ?? 1)));

interface JestReport {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numFailedTestSuites: number;
  numRuntimeErrorTestSuites: number;
}
let summary = { suite: long ? 'long' : 'test', passed: 0, failed: 1, skipped: 0 };
try {
  const result = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
  summary = {
    suite: summary.suite,
    passed: result.numPassedTests,
    failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
    skipped: result.numPendingTests,
  };
} finally {
  rmSync(scratch, { recursive: true, force: true });
  if (resultsFile !== undefined) appendFileSync(resultsFile, JSON.stringify(summary) + '\n');
  process.stdout.write(
    `${String(summary.passed)} passed, ${String(summary.failed)} failed, ${String(summary.skipped)} skipped\n`,
  );
}
process.exit(code);

function take(flag: string): boolean {
  const index = args.indexOf(flag);
  if (index >= 0) args.splice(index, 1);
  return index >= 0;
}

function takeValue(flag: string): string | undefined {
  const index = args.indexOf(flag);
  return index >= 0 ? args.splice(index, 2)[1] : undefined;
}
