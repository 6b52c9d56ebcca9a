import { WaymarkError } from '@waymark/protocol';
import { ClassicLevel } from 'classic-level';

export type Level = ClassicLevel<Uint8Array, Uint8Array>;

const settings = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/**
 * Takes the lock of a store: an otherwise empty LevelDB, whose LOCK file is held by the operating system and so ends with
 * the process, however that ends. It stands apart from the index, which may be thrown away and rebuilt under the lock.
 * @param owner what the folder belongs to, for people: 'the content store'
 * @throws `unavailable` when another process, or another store of this one, holds it
 */
export async function takeLock(folder: string, owner: string): Promise<Level> {
  return await openOrReplace(folder, owner, { writeBufferSize: 64 * 1024, cacheSize: 0 });
}

/**
 * Opens the index; a damaged one gives way to an empty one, which the caller fills from the segments.
 * @param owner what the folder belongs to, for people
 * @param anew begin with an empty one in any case
 */
export async function openIndex(folder: string, owner: string, anew: boolean): Promise<Level> {
  if (anew) await ClassicLevel.destroy(folder);
  return await openOrReplace(folder, owner, { writeBufferSize: 16 * 1024 * 1024, cacheSize: 32 * 1024 * 1024 });
}

async function openOrReplace(
  folder: string,
  owner: string,
  options: { writeBufferSize: number; cacheSize: number },
): Promise<Level> {
  try {
    return await openLevel(folder, options);
  } catch (fault) {
    if (levelFault(fault).code === 'LEVEL_LOCKED') throw openError(owner, 'locked', fault);
    if (!isDamaged(levelFault(fault))) throw openError(owner, 'io-fault', fault);
  }
  try {
    // LevelDB takes the lock before it removes files, so this cannot pull a folder from under another process.
    await ClassicLevel.destroy(folder);
    return await openLevel(folder, options);
  } catch (fault) {
    throw openError(owner, 'io-fault', fault);
  }
}

async function openLevel(folder: string, options: { writeBufferSize: number; cacheSize: number }): Promise<Level> {
  const level: Level = new ClassicLevel(folder, { ...settings, ...options });
  await level.open();
  return level;
}

/** LevelDB's own error, which abstract-level wraps in a general one. */
function levelFault(fault: unknown): { code: string; message: string } {
  const { cause, code, message } = (fault ?? {}) as { cause?: unknown; code?: unknown; message?: unknown };
  return cause === undefined ? { code: String(code), message: String(message) } : levelFault(cause);
}

/** Whether the database's own files contradict each other or some are gone: then only a new one helps. */
function isDamaged({ code, message }: { code: string; message: string }): boolean {
  return code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && message.includes('No such file'));
}

function openError(owner: string, reason: 'locked' | 'io-fault', cause: unknown): WaymarkError {
  const message =
    reason === 'locked'
      ? `The folder of ${owner} is in use by another process.`
      : `The folder of ${owner} cannot be opened.`;
  return new WaymarkError('unavailable', message, { details: { reason }, cause });
}
