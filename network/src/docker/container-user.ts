import { lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Programs in containers run as this user when the operator is root: nobody on the machine has the number. */
const unprivileged = { uid: 10_001, gid: 10_001 } as const;

/** Who runs programs in containers. */
export interface ContainerUser {
  /** As Compose takes it. */
  readonly user: string;
  /** Makes folders readable to that user, with everything in them; those that are not there yet are left out. */
  giveFolders(paths: readonly string[]): Promise<void>;
}

/**
 * The user of all containers: the operator, so that files made here can be read there and nothing needs opening up to others.
 * Root hands its files to an unprivileged user instead. In a rootless engine root is the operator.
 */
export function containerUser(
  { uid, gid }: { readonly uid: number | undefined; readonly gid: number | undefined },
  rootless: boolean,
): ContainerUser {
  const asIs = (user: string): ContainerUser => ({ user, giveFolders: () => Promise.resolve() });
  if (rootless) return asIs('0:0');
  // Where users have no numbers (Windows), the engine's file sharing permits every user.
  if (uid === undefined || gid === undefined) return asIs(`${unprivileged.uid}:${unprivileged.gid}`);
  if (uid !== 0) return asIs(`${uid}:${gid}`);
  return { user: `${unprivileged.uid}:${unprivileged.gid}`, giveFolders };
}

async function giveFolders(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const names = await unlessGone(readdir(path, { recursive: true }));
    if (names === undefined) continue;
    // Files come and go while a network grows: a whole one takes the place of a partial one.
    for (const name of ['.', ...names]) await unlessGone(lchown(join(path, name), unprivileged.uid, unprivileged.gid));
  }
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
