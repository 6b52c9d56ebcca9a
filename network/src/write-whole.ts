import { open, rename } from 'node:fs/promises';

/** Writes a file so that a reader, or the next start, sees the old content or the new one and nothing between; durable when it resolves. */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}
