import { open, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** One open file, reduced to what stores that sync need. */
export interface StoreFile {
  /** Writes all bytes at the position. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Fills `into` from the position; fewer bytes only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  datasync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** The part of a file system that stores use; tests put faults in its place. */
export interface StoreFileSystem {
  /** Makes a folder and those above it, durably. */
  makeFolder(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  /** 'read': must exist. 'write': made when it does not exist. */
  openFile(path: string, mode: 'read' | 'write'): Promise<StoreFile>;
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
}

/** A file system that can also put a finished file in its place. */
export interface RenamingFileSystem extends StoreFileSystem {
  /** Gives a file another name in its folder at once, whatever had that name before. Durable after `syncFolder`. */
  rename(from: string, to: string): Promise<void>;
}

/** The machine's file system. Modes are those of what is made, before the process's umask. */
export function createFileSystem(modes: { readonly folder: number; readonly file: number }): RenamingFileSystem {
  return {
    async makeFolder(path) {
      const firstMade = await mkdir(path, { recursive: true, mode: modes.folder });
      if (firstMade === undefined) return;
      // The name of each new folder is made durable in its parent.
      for (let made = resolve(path); made !== dirname(resolve(firstMade)); made = dirname(made))
        await syncFolder(dirname(made));
    },
    list: (path) => readdir(path),
    openFile: (path, mode) => openNodeFile(path, mode, modes.file),
    remove: (path) => rm(path, { force: true }),
    rename: (from, to) => rename(from, to),
    syncFolder,
  };
}

/** For what others of the group may read. */
export const nodeFileSystem: RenamingFileSystem = createFileSystem({ folder: 0o750, file: 0o640 });

/** For what nobody but the owner may read. */
export const privateFileSystem: RenamingFileSystem = createFileSystem({ folder: 0o700, file: 0o600 });

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function openNodeFile(path: string, mode: 'read' | 'write', fileMode: number): Promise<StoreFile> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  const handle = await open(path, mode === 'read' ? 'r' : exists ? 'r+' : 'wx+', fileMode);
  return {
    async write(bytes, position) {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    },
    async read(into, position) {
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    datasync: () => handle.datasync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    sizeBytes: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}
