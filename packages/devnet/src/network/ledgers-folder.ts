import { cp, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DevnetError, codeOf } from '../errors.ts';

const LEDGERS = 'ledgers';
/** What takes the place of the ledgers; whole once it has this name. */
const NEXT = 'ledgers-next';
const COPYING = 'ledgers-copying';
const OLD = 'ledgers-old';
const SNAPSHOT_ENTRIES = ['devnet.json', 'genesis.block', 'organisations', 'orderer', LEDGERS] as const;

/** Ends a replacement that a crash interrupted: forwards when the new ledgers were whole, else as if it had not begun. */
export async function finishReplacement(dir: string): Promise<void> {
  await rm(join(dir, COPYING), { recursive: true, force: true });
  if ((await readdir(dir)).includes(NEXT)) await takeOver(dir);
  await rm(join(dir, OLD), { recursive: true, force: true });
}

/**
 * Replaces the ledgers, all at once, by those of a snapshot, or by none. No ledger may be open. `check` judges the copy of
 * the snapshot's ledgers before it takes their place; when it throws, all is as before.
 */
export async function replaceLedgers(
  dir: string,
  snapshot?: { readonly dir: string; readonly check: (ledgersDir: string) => Promise<void> },
): Promise<void> {
  // What an earlier attempt left that failed half way.
  await rm(join(dir, COPYING), { recursive: true, force: true });
  if (snapshot === undefined) {
    await mkdir(join(dir, COPYING));
  } else {
    await cp(join(snapshot.dir, LEDGERS), join(dir, COPYING), { recursive: true });
    await snapshot.check(join(dir, COPYING));
  }
  await rename(join(dir, COPYING), join(dir, NEXT));
  await takeOver(dir);
  await rm(join(dir, OLD), { recursive: true, force: true });
}

async function takeOver(dir: string): Promise<void> {
  await rm(join(dir, OLD), { recursive: true, force: true });
  try {
    await rename(join(dir, LEDGERS), join(dir, OLD));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await rename(join(dir, NEXT), join(dir, LEDGERS));
}

/** Copies a whole data folder, keys included. The target must not exist, or be empty. Throws DevnetError DATA_INVALID. */
export async function copyDataFolder(dir: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  if ((await readdir(target)).length > 0) {
    throw new DevnetError('DATA_INVALID', `the folder ${target} is not empty: choose another one for the snapshot`);
  }
  // What makes it a devnet's folder comes last, so that half a copy is none.
  for (const entry of [...SNAPSHOT_ENTRIES].reverse()) {
    await cp(join(dir, entry), join(target, entry), { recursive: true });
  }
}

/** Throws DevnetError DATA_INVALID when the folder is no snapshot of the same network. */
export async function checkSnapshot(dir: string, snapshotDir: string): Promise<void> {
  const read = (folder: string) => readFile(join(folder, 'genesis.block'));
  let same = false;
  try {
    same = (await read(dir)).equals(await read(snapshotDir)) && (await readdir(snapshotDir)).includes('devnet.json');
  } catch (cause) {
    throw new DevnetError('DATA_INVALID', `${snapshotDir} is not a snapshot`, { cause });
  }
  if (!same) throw new DevnetError('DATA_INVALID', `${snapshotDir} is not a snapshot of this network`);
}
