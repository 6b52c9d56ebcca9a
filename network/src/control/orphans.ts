import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WaymarkError } from '@waymark/protocol';
import { isAlive } from './control-file.ts';

const graceMs = 10_000;
const pollMs = 50;
/** The supervisor's own, while it runs. */
export const supervisorPidFile = 'supervisor.pid';

/**
 * Ends what a supervisor that was killed has left running. A pid file alone proves nothing, because numbers are given again: only a
 * process that carries the network's folder in its command line or environment is one of ours.
 *
 * @returns names of the processes that were ended
 */
export async function endOrphans(dataDir: string): Promise<readonly string[]> {
  // A supervisor that is still starting things goes first: it would go on.
  const supervisor = join(dataDir, 'run', supervisorPidFile);
  const ended = existsSync(supervisor) ? await endAll([supervisor], dataDir) : [];
  return [...ended, ...(await endAll(await pidFiles(dataDir), dataDir))];
}

async function endAll(files: readonly string[], dataDir: string): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const file of files) {
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    if (Number.isSafeInteger(pid) && pid > 1 && isAlive(pid) && (await belongsTo(pid, dataDir))) {
      await end(pid);
      ended.push(file.slice(file.lastIndexOf('/') + 1, -'.pid'.length));
    }
    await rm(file, { force: true });
  }
  return ended;
}

async function pidFiles(dataDir: string): Promise<string[]> {
  const content = join(dataDir, 'content');
  const kubos = existsSync(content) ? await readdir(content, { withFileTypes: true }) : [];
  const folders = [
    join(dataDir, 'run'),
    join(dataDir, 'fabric', 'run'),
    ...kubos.filter((entry) => entry.isDirectory()).map(({ name }) => join(content, name, 'run')),
  ].filter((folder) => existsSync(folder));
  const files = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder)).filter((name) => name.endsWith('.pid')).map((name) => join(folder, name)),
    ),
  );
  return files.flat();
}

async function belongsTo(pid: number, dataDir: string): Promise<boolean> {
  const shown = await promisify(execFile)('ps', ['eww', '-o', 'command=', '-p', String(pid)]).catch(() => undefined);
  // The folder itself or something in it: another network's name may begin with the same letters.
  return [...(shown?.stdout ?? '').split(dataDir)].slice(1).some((after) => /^(?:[/\\\s]|$)/.test(after));
}

async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  for (let insisted = false; isAlive(pid);) {
    if (Date.now() > deadline) {
      if (insisted) throw new WaymarkError('unavailable', `process ${pid} does not end`);
      process.kill(pid, 'SIGKILL');
      insisted = true;
    }
    await delay(pollMs);
  }
}
