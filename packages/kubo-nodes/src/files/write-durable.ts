import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file so that after a crash it holds either all of the new content or all of the old.
 *
 * @param mode permissions, such as 0o600
 */
export async function writeDurable(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.new`;
  const file = await open(draft, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
