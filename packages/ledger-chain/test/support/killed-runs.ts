import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Runs the applying process and kills it after so many acknowledgements.
 * @returns the last height that was acknowledged, and whether it came to its end
 */
export async function runAndKill(
  folder: string,
  blocks: string,
  killAfter: number,
): Promise<{ readonly acknowledged: number; readonly hasEnded: boolean }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'applying-process.ts'), folder, blocks], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let acknowledged = 0;
  let lines = 0;
  let hasEnded = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'end') {
      hasEnded = true;
      continue;
    }
    acknowledged = Math.max(acknowledged, Number(line));
    lines += 1;
    if (lines === killAfter) child.kill('SIGKILL');
  }
  await exited;
  return { acknowledged, hasEnded };
}
