import { readFileSync } from 'node:fs';

/**
 * Sends SIGKILL to the process that a pid file names, if it is there. A file that is just being written is empty, and the number 0 would mean everybody in
 * this process's own group.
 */
export function killByPidFile(file: string): void {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    if (Number.isSafeInteger(pid) && pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // Not started yet, or gone already.
  }
}
