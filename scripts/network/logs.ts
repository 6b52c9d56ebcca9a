import { createReadStream, existsSync, watchFile, unwatchFile } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { containersOf, type Layout, type NetworkFolder } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';

const pollMs = 500;
const tailBytes = 4 * 1024 * 1024;

/** What to show. */
export interface LogsRequest {
  readonly folder: NetworkFolder;
  readonly layout: Layout;
  /** Undefined: the names there are. */
  readonly name: string | undefined;
  readonly lines: number;
  readonly follow: boolean;
}

/** Prints the end of a process's log, and with `follow` what comes after it until it is interrupted. */
export async function showLogs({ layout, name, lines, follow }: LogsRequest): Promise<number> {
  const logs = await logFiles(layout);
  const containers = await containersOf(layout);
  const names = (await containers?.names()) ?? [];
  if (name === undefined) {
    process.stdout.write(`${[...logs.keys(), ...names].sort().join('\n')}\n`);
    return 0;
  }
  if (containers !== undefined && names.includes(name)) {
    await containers.showLog(name, { lines, follow });
    return 0;
  }
  const file = logs.get(name);
  if (file === undefined) throw new WaymarkError('input-invalid', `${name} has no log; without a name all are listed`);
  const { text, sizeBytes } = await tail(file);
  const all = text.trimEnd().split('\n');
  process.stdout.write(`${all.slice(-lines).join('\n')}\n`);
  if (follow) await followFrom(file, sizeBytes);
  return 0;
}

async function logFiles({ root, run, content }: Layout): Promise<Map<string, string>> {
  const kubos = existsSync(content) ? await readdir(content, { withFileTypes: true }) : [];
  const folders = [
    run,
    join(root, 'fabric', 'run'),
    ...kubos.filter((entry) => entry.isDirectory()).map((entry) => join(content, entry.name, 'run')),
  ].filter((folder) => existsSync(folder));
  const found = new Map<string, string>();
  for (const folder of folders) {
    for (const file of await readdir(folder)) {
      if (file.endsWith('.log')) found.set(file.slice(0, -'.log'.length), join(folder, file));
    }
  }
  return found;
}

async function tail(path: string): Promise<{ readonly text: string; readonly sizeBytes: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return { text: buffer.subarray(0, bytesRead).toString('utf8'), sizeBytes: size };
  } finally {
    await file.close();
  }
}

function followFrom(path: string, sizeBytes: number): Promise<void> {
  let from = sizeBytes;
  return new Promise((resolve) => {
    watchFile(path, { interval: pollMs }, ({ size }) => {
      if (size <= from) return;
      createReadStream(path, { start: from, end: size - 1 }).pipe(process.stdout, { end: false });
      from = size;
    });
    process.once('SIGINT', () => {
      unwatchFile(path);
      resolve();
    });
  });
}
