import { lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Programs in containers run as this user when the operator is root: nobody on the machine has the number. */
const unprivileged = { uid: 10_001, gid: 10_001 } as const;

/** Who runs programs in containers. */
export interface ContainerUser {
  /** As Compose takes it. */
  readonly user: string;
  /** Makes a folder readable to that user, with everything in it. */
  giveFolder(path: string): Promise<void>;
}

/**
 * The user of all containers: the operator, so that files made here can be read there and nothing needs opening up to others.
 * Root hands its files to an unprivileged user instead. In a rootless engine root is the operator.
 */
export function containerUser(
  { uid, gid }: { readonly uid: number | undefined; readonly gid: number | undefined },
  rootless: boolean,
): ContainerUser {
  const asIs = (user: string): ContainerUser => ({ user, giveFolder: () => Promise.resolve() });
  if (rootless) return asIs('0:0');
  // Where users have no numbers (Windows), the engine's file sharing permits every user.
  if (uid === undefined || gid === undefined) return asIs(`${unprivileged.uid}:${unprivileged.gid}`);
  if (uid !== 0) return asIs(`${uid}:${gid}`);
  return { user: `${unprivileged.uid}:${unprivileged.gid}`, giveFolder };
}

async function giveFolder(path: string): Promise<void> {
  const names = await readdir(path, { recursive: true });
  for (const name of ['.', ...names]) await lchown(join(path, name), unprivileged.uid, unprivileged.gid);
}
