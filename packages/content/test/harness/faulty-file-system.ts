import { nodeFileSystem, type StoreFile, type StoreFileSystem } from '@waymark/content';

/** A file system whose faults a test switches on and off. */
export class FaultyFileSystem implements StoreFileSystem {
  /** Fails the next writes with this errno code, after half of the bytes. */
  writeFault: string | undefined;
  syncFault: string | undefined;
  truncateFault: string | undefined;
  /** Syncs of segment files so far. */
  syncs = 0;

  makeFolder = (path: string): Promise<void> => nodeFileSystem.makeFolder(path);
  list = (path: string): Promise<readonly string[]> => nodeFileSystem.list(path);
  remove = (path: string): Promise<void> => nodeFileSystem.remove(path);
  syncFolder = (path: string): Promise<void> => nodeFileSystem.syncFolder(path);

  async openFile(path: string, mode: 'read' | 'write'): Promise<StoreFile> {
    const file = await nodeFileSystem.openFile(path, mode);
    return {
      ...file,
      write: async (bytes, position) => {
        if (this.writeFault === undefined) {
          await file.write(bytes, position);
          return;
        }
        await file.write(bytes.subarray(0, bytes.length / 2), position);
        throw fault(this.writeFault);
      },
      datasync: async () => {
        if (path.endsWith('.car')) this.syncs += 1;
        if (this.syncFault !== undefined) throw fault(this.syncFault);
        await file.datasync();
      },
      truncate: async (sizeBytes) => {
        if (this.truncateFault !== undefined) throw fault(this.truncateFault);
        await file.truncate(sizeBytes);
      },
    };
  }
}

function fault(code: string): Error {
  return Object.assign(new Error(`injected ${code}`), { code });
}
