import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A process under watch. */
export interface WatchedProcess {
  readonly name: string;
  readonly pid: number;
}

/** Processor seconds by process since its start. */
export type ProcessorTime = ReadonlyMap<string, number>;

/** Ticks in a second as Linux reports them to programs. */
const ticksPerSecond = 100;

/** Processor time, user and system, summed where processes share a name; empty where the system does not tell (only Linux does). */
export async function processorTimeOf(processes: readonly WatchedProcess[]): Promise<ProcessorTime> {
  const times = await Promise.all(
    processes.map(async ({ name, pid }): Promise<ProcessorTime> => {
      const seconds = await secondsOf(pid);
      return new Map(seconds === undefined ? [] : [[name, seconds]]);
    }),
  );
  return addProcessorTimes(times);
}

/** What was used between two measurements. */
export function processorTimeBetween(before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  return new Map([...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]));
}

/** Sums by name. */
export function addProcessorTimes(times: readonly ProcessorTime[]): ProcessorTime {
  const sums = new Map<string, number>();
  for (const time of times) for (const [name, seconds] of time) sums.set(name, (sums.get(name) ?? 0) + seconds);
  return sums;
}

/** Bytes of all files below a folder; what disappears meanwhile does not count. */
export async function diskBytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return diskBytesOf(path);
      return stat(path).then(
        ({ size }) => size,
        () => 0,
      );
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function secondsOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets and may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined) return undefined;
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Bytes that processes have handed to the disk since their start; null where the system does not tell (only Linux does). */
export async function writtenBytesOf(processes: readonly WatchedProcess[]): Promise<number | null> {
  const counts = await Promise.all(
    processes.map(async ({ pid }) => {
      const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
      return /^write_bytes: (\d+)$/m.exec(text)?.[1];
    }),
  );
  return counts.reduce<number | null>(
    (sum, count) => (sum === null || count === undefined ? null : sum + Number(count)),
    0,
  );
}
