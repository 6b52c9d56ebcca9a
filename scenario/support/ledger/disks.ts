import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder on a disk of its own, small enough to fill up. */
export interface SmallDisk {
  /** Leaves no room. */
  fill(): Promise<void>;
  /** Makes room again. */
  clear(): Promise<void>;
  /** Gives the folder its ordinary place back, with what is in it. */
  unmount(): Promise<void>;
}

/** Whether this machine lets us mount: it takes the administrator's right, and no machine for continuous builds need have it. */
export function mayMount(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && tryMount();
}

let answer: boolean | undefined;

function tryMount(): boolean {
  if (answer !== undefined) return answer;
  const folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    answer = true;
  } catch {
    answer = false;
  }
  execFileSync('rmdir', [folder]);
  return answer;
}

/** Puts a folder that nobody has open on a tmpfs of its own, with room for more than is in it; the files come along. */
export async function mountSmallDisk(folder: string, roomMiB: number): Promise<SmallDisk> {
  const kept = await mkdtemp(join(tmpdir(), 'waymark-disk-'));
  await cp(folder, kept, { recursive: true, preserveTimestamps: true });
  const sizeMiB = Math.ceil((await sizeBytesOf(folder)) / 1_048_576) + roomMiB;
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(sizeMiB)}m,mode=700`, 'tmpfs', folder]);
  await cp(kept, folder, { recursive: true, preserveTimestamps: true });
  const ballast = join(folder, 'ballast');
  return {
    async fill() {
      // In ever smaller pieces, until not even one octet has room.
      for (let [size, count] = [1_048_576, 0]; size >= 1; size = Math.floor(size / 16))
        for (;;) {
          try {
            await writeFile(`${ballast}-${String(count)}`, new Uint8Array(size));
            count += 1;
          } catch (error) {
            await rm(`${ballast}-${String(count)}`, { force: true });
            if ((error as { code?: unknown }).code !== 'ENOSPC') throw error;
            break;
          }
        }
    },
    async clear() {
      for (const name of await readdir(folder)) if (name.startsWith('ballast-')) await rm(join(folder, name));
    },
    async unmount() {
      await rm(kept, { recursive: true });
      await cp(folder, kept, { recursive: true, preserveTimestamps: true });
      execFileSync('umount', [folder]);
      await rm(folder, { recursive: true });
      await cp(kept, folder, { recursive: true, preserveTimestamps: true });
      await rm(kept, { recursive: true });
    },
  };
}

async function sizeBytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  // Each file takes whole pages.
  return sizes.reduce((sum, size) => sum + size + 4_096, 0);
}
