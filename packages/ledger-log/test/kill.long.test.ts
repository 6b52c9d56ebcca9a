import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openLedgerLog } from '@waymark/ledger-log';
import type { LogPosition } from '../src/position.ts';
import { block } from './support/steps.ts';

const program = fileURLToPath(new URL('./support/writing-process.ts', import.meta.url));
const rounds = 12;
let child: ChildProcess | undefined;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waymark-ledger-log-'));
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Lets a writer acknowledge some groups, kills it within the next one, and answers the last height it acknowledged. */
async function writeUntilKilled(
  groups: number,
  delayMicros: number,
): Promise<{ height: number; position: LogPosition }> {
  child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let height = 0;
  let position: LogPosition | undefined;
  let seen = 0;
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('position ')) position = JSON.parse(line.slice(9)) as LogPosition;
    else height = Number(line);
    seen += 1;
    if (seen !== groups || child.killed) continue;
    const until = process.hrtime.bigint() + BigInt(delayMicros) * 1000n;
    while (process.hrtime.bigint() < until); // a fine-grained point within the next write
    child.kill('SIGKILL');
  }
  await closed;
  if (position === undefined) throw new Error('the writer did not open its log');
  return { height, position };
}

test(`killed at ${rounds} points under load, the log holds everything that was acknowledged`, async () => {
  let torn = 0;
  let last = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { height, position } = await writeUntilKilled(4 + ((round * 5) % 13), (round * 211) % 2_500);
    const log = await openLedgerLog({ folder, create: false });
    const { firstHeight, lastHeight } = log.stats();
    expect(lastHeight).toBeGreaterThanOrEqual(height);
    expect(height).toBeGreaterThan(last);
    let at = firstHeight;
    for await (const { candidate, seal } of log.read(firstHeight, lastHeight)) {
      expect([
        { type: 'candidate', candidate },
        { type: 'seal', seal },
      ]).toMatchObject(
        block(at).map((step) => (step.type === 'candidate' ? { type: step.type, candidate: step.candidate } : step)),
      );
      at += 1;
    }
    expect(log.standingOf(position)).toBe('held');
    if (log.restored.tornTail !== null) torn += 1;
    last = height;
    await log.close();
  }
  process.stderr.write(`ledger log: ${last} blocks acknowledged over ${rounds} kills, ${torn} torn tails cut\n`);
}, 180_000);
