import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { Needle } from './canary.ts';
import type { Scanner } from './scanner.ts';

const pieceSizeBytes = 16 * 1024 * 1024;

/** Why the memory of a process cannot be read here, or undefined when it can. */
export const memoryUnreadable: string | undefined =
  process.platform === 'linux' ? undefined : `the memory of a process is not readable as a file on ${process.platform}`;

/** The needles that lie in the writable memory of a process (Linux: /proc/PID/mem over the rw maps). */
export async function searchMemory(pid: number, scanner: Scanner): Promise<{ found: Needle[]; sizeBytes: number }> {
  const maps = await residentMaps(pid);
  const found = new Set<Needle>();
  let sizeBytes = 0;
  const memory = await open(`/proc/${String(pid)}/mem`, 'r');
  try {
    for (const { start, end } of maps) {
      for (let at = start; at < end; at += pieceSizeBytes) {
        // Pieces overlap by the longest needle, so that none falls between two.
        const piece = await readPiece(memory, at, Math.min(pieceSizeBytes + scanner.longestBytes, end - at));
        sizeBytes += Math.min(piece.length, pieceSizeBytes);
        for (const needle of scanner.scan(piece)) found.add(needle);
      }
    }
  } finally {
    await memory.close();
  }
  return { found: [...found], sizeBytes };
}

/** The writable maps of which anything is in memory. */
async function residentMaps(pid: number): Promise<{ start: number; end: number }[]> {
  const text = await readFile(`/proc/${String(pid)}/smaps`, 'utf8');
  const maps: { start: number; end: number; resident: boolean }[] = [];
  for (const line of text.split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from !== undefined && to !== undefined) {
      maps.push({ start: Number.parseInt(from, 16), end: Number.parseInt(to, 16), resident: false });
    } else if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) {
      maps.push({ start: 0, end: 0, resident: false });
    }
    const map = maps.at(-1);
    if (map !== undefined && /^(?:Rss|Swap): +[1-9]/.test(line)) map.resident = true;
  }
  return maps.filter(({ start, end, resident }) => resident && end > start);
}

async function readPiece(memory: FileHandle, position: number, sizeBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(sizeBytes);
  try {
    const { bytesRead } = await memory.read(buffer, 0, sizeBytes, position);
    return buffer.subarray(0, bytesRead);
  } catch {
    // Unmapped since the list was read.
    return Buffer.alloc(0);
  }
}
