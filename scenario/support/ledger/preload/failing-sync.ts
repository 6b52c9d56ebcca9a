/** Loaded before a program (`--import FILE?trigger=PATH`): while a file of that name is there, every sync of a file fails as a dying disk makes it fail. */
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const trigger = new URL(import.meta.url).searchParams.get('trigger') ?? '';
const handle = await open('/dev/null');
const prototype = Object.getPrototypeOf(handle) as Pick<FileHandle, 'sync' | 'datasync'>;
await handle.close();
for (const name of ['sync', 'datasync'] as const) {
  const real = prototype[name];
  prototype[name] = async function failing(this: FileHandle): Promise<void> {
    if (existsSync(trigger)) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO', syscall: 'fsync' });
    await Reflect.apply(real, this, []);
  };
}
