import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { DevnetError, codeOf, levelCodeOf } from '../errors.ts';
import { finishReplacement } from './ledgers-folder.ts';
import type { Topology } from './topology.ts';

const STATE_FILE = 'devnet.json';
const SETUP_MARK = 'setup-in-progress';
const LOCK_DIR = 'lock';
/** What a first start writes before the state file exists. */
const OWN_FOLDERS = ['organisations', 'orderer', 'ledgers'] as const;

/** The folder of one devnet, held by this process alone. */
export interface DataFolder {
  readonly dir: string;
  /** What the folder was made for; undefined at the first start. */
  readonly stored: Topology | undefined;
  path(...parts: readonly string[]): string;
  /** Ends the first start: from now on the folder is whole. */
  complete(topology: Topology): Promise<void>;
  release(): Promise<void>;
}

/**
 * Opens the folder and locks it until `release` or the end of the process. What an interrupted first start left is removed.
 * Throws DevnetError DATA_LOCKED (another process has it) or DATA_INVALID (it is something else's).
 */
export async function openDataFolder(dir: string): Promise<DataFolder> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await refuseForeignFolder(dir);
  const lock = await acquireLock(join(dir, LOCK_DIR), dir);
  try {
    const stored = await readState(dir);
    if (stored === undefined) await prepareSetup(dir);
    else await finishReplacement(dir);
    return {
      dir,
      stored,
      path: (...parts) => join(dir, ...parts),
      complete: async (topology) => {
        await writeDurably(dir, STATE_FILE, `${JSON.stringify(topology, null, 2)}\n`);
        await rm(join(dir, SETUP_MARK), { force: true });
      },
      release: () => lock.close(),
    };
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/** LevelDB's lock: the operating system lets go of it when the process dies, however it dies. */
async function acquireLock(path: string, dir: string): Promise<ClassicLevel> {
  const lock = new ClassicLevel(path);
  try {
    await lock.open();
    return lock;
  } catch (cause) {
    if (levelCodeOf(cause) !== 'LEVEL_LOCKED') {
      throw new DevnetError('DATA_INVALID', `${path} was altered; it holds nothing and can be removed`, { cause });
    }
    throw new DevnetError('DATA_LOCKED', `another process uses the data folder ${dir}`, { cause });
  }
}

async function refuseForeignFolder(dir: string): Promise<void> {
  const entries = await readdir(dir);
  const own = [STATE_FILE, SETUP_MARK, LOCK_DIR];
  if (entries.length > 0 && !entries.some((entry) => own.includes(entry))) {
    throw new DevnetError('DATA_INVALID', `the folder ${dir} is not empty and not a devnet's: choose another one`);
  }
}

async function prepareSetup(dir: string): Promise<void> {
  await writeDurably(dir, SETUP_MARK, '');
  for (const name of OWN_FOLDERS) await rm(join(dir, name), { recursive: true, force: true });
}

async function readState(dir: string): Promise<Topology | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, STATE_FILE), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isTopology(parsed)) return parsed;
  } catch (cause) {
    throw new DevnetError('DATA_INVALID', `${STATE_FILE} is not JSON`, { cause });
  }
  throw new DevnetError('DATA_INVALID', `${STATE_FILE} was not written by this version of devnet`);
}

function isTopology(value: unknown): value is Topology {
  return (
    typeof value === 'object' &&
    value !== null &&
    'formatVersion' in value &&
    value.formatVersion === 1 &&
    'channel' in value &&
    typeof value.channel === 'string' &&
    'organisations' in value &&
    Array.isArray(value.organisations) &&
    'orderer' in value &&
    'batch' in value
  );
}

async function writeDurably(dir: string, name: string, content: string): Promise<void> {
  const temporary = join(dir, `${name}.new`);
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(dir, name));
}
