/** Adds up the result lines that `.ci/run` gathered; prints one closing line; exits 1 when anything failed. */
import { readFileSync } from 'node:fs';

interface Line {
  suite: string;
  passed: number;
  failed: number;
  skipped: number;
}

const file = process.argv[2];
if (file === undefined) throw new Error('usage: node scripts/ci-summary.ts RESULTS');
const lines = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line);
for (const suite of ['test', 'long']) {
  if (!lines.some((line) => line.suite === suite)) lines.push({ suite, passed: 0, failed: 1, skipped: 0 });
}
for (const line of lines) {
  process.stdout.write(
    `${line.suite}: ${String(line.passed)} passed, ${String(line.failed)} failed, ${String(line.skipped)} skipped\n`,
  );
}
const sum = (pick: (line: Line) => number): number => lines.reduce((total, line) => total + pick(line), 0);
const failed = sum((line) => line.failed);
process.stdout.write(`${String(sum((line) => line.passed))} passed, ${String(failed)} failed\n`);
process.exit(failed === 0 ? 0 : 1);
