import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every file under a folder, with its size. */
export async function filesUnder(folder: string): Promise<readonly { path: string; sizeBytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path, sizeBytes: (await readFile(path)).length };
      }),
  );
}

/** Flips one bit of a file. */
export async function flipBit(path: string, bit: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  await writeFile(path, bytes);
}
