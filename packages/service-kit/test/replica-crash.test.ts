import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { removeFolders, temporaryFolder } from './fixture.ts';

afterAll(removeFolders);

const rounds = 12;

/** Runs the follower until it has printed `count` blocks more, then kills it. Returns the last block it printed. */
async function runAndKill(file: string, count: number): Promise<number> {
  const script = fileURLToPath(import.meta.resolve('./replica-process.ts'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += String(chunk);
    if (printed.split('\n').length > count) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return Number(printed.split('\n').at(-2));
}

test(`killed at ${rounds} moments, the replica never loses a block it has shown and never has one twice`, async () => {
  const file = join(temporaryFolder(), 'replica.sqlite');
  let shown = -1;
  for (let round = 1; round <= rounds; round += 1) {
    const last = await runAndKill(file, 3 + ((round * 7) % 23));
    expect(last).toBeGreaterThan(shown);
    shown = last;
    const database = new DatabaseSync(file);
    const checkpoint = database.prepare('SELECT block_number, evidence_count FROM checkpoint').get();
    const rows = database
      .prepare('SELECT count(*) AS n, min(block_number) AS low, max(block_number) AS high FROM evidence')
      .get();
    database.close();
    const height = Number(checkpoint?.['block_number']);
    expect(height).toBeGreaterThanOrEqual(shown);
    expect(checkpoint).toMatchObject({ evidence_count: height + 1 });
    expect(rows).toMatchObject({ n: height + 1, low: 0, high: height });
  }
}, 60_000);
