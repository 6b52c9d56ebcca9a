import { basename, dirname } from 'node:path';
import type { RenamingFileSystem, StoreFile } from '@waymark/durable-files';

/** An operation that a test can make fail. */
export type FileOperation = 'open' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncFolder';

/** Draws a whole number from 0 to below `limit`. */
export type Draw = (limit: number) => number;

/** The machine lost power: nothing answers any more. */
export class PowerLossError extends Error {}

/**
 * A disk in memory that forgets what a real one may forget: until a sync, any sectors of a write, any cut, any name. After a sync that failed, what
 * was written can still be read but is on the disk no more than before, and the next sync does not bring it there.
 */
export interface SimulatedFiles {
  readonly fileSystem: RenamingFileSystem;
  /** Operations that change something, so far. */
  operations(): number;
  /** Power is lost at the operation of this number: it is done in part or not at all, and nothing after it. */
  losePowerAt(operation: number): void;
  hasPower(): boolean;
  /** Every such operation fails from now on, after half of the octets where it has any; `undefined` ends it. */
  fail(operation: FileOperation, code: string | undefined): void;
  /** What a machine finds that is switched on again: what was durable, and of the rest whatever `draw` says. */
  afterPowerLoss(draw: Draw): SimulatedFiles;
  /** Another disk with the same content. */
  copy(): SimulatedFiles;
  paths(): readonly string[];
  /** The octets of a file, as a program would read them; changing them alters the disk. */
  bytesOf(path: string): Buffer;
  replace(path: string, bytes: Uint8Array): void;
  remove(path: string): void;
}

type Change =
  | { readonly kind: 'write'; readonly bytes: Uint8Array; readonly position: number }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

interface FileNode {
  current: Buffer;
  durable: Buffer;
  unsynced: Change[];
}

type NameChange = (names: Map<string, FileNode>) => void;

const sectorSizeBytes = 512;

interface State {
  /** As programs see them. */
  readonly names: Map<string, FileNode>;
  readonly durableNames: Map<string, FileNode>;
}

/** An empty disk. */
export function createSimulatedFiles(
  { names, durableNames }: State = { names: new Map(), durableNames: new Map() },
): SimulatedFiles {
  const faults = new Map<FileOperation, string>();
  let unsyncedNames: { readonly folder: string; readonly change: NameChange }[] = [];
  let operations = 0;
  let powerLossAt = Number.POSITIVE_INFINITY;
  let hasPower = true;

  /** Counts an operation; answers whether power goes while it is done. */
  const begin = (): boolean => {
    if (!hasPower) throw new PowerLossError('no power');
    operations += 1;
    if (operations >= powerLossAt) hasPower = false;
    return !hasPower;
  };
  const faultOf = (operation: FileOperation): Error | undefined => {
    const code = faults.get(operation);
    return code === undefined ? undefined : Object.assign(new Error(`injected ${code}`), { code });
  };
  const rename = (path: string, change: NameChange): void => {
    change(names);
    unsyncedNames.push({ folder: dirname(path), change });
  };
  /** Does an operation, or what is left of it when it fails or power goes. */
  const run = (operation: FileOperation, whole: () => void, part: () => void = () => undefined): Promise<void> =>
    // All is done within the call; what is thrown comes as a rejection.
    new Promise((resolve) => {
      if (begin()) {
        part();
        throw new PowerLossError('power is lost');
      }
      const fault = faultOf(operation);
      if (fault !== undefined) {
        part();
        throw fault;
      }
      whole();
      resolve();
    });
  const nodeAt = (path: string): FileNode => {
    const node = names.get(path);
    if (node === undefined) throw Object.assign(new Error(`no file ${basename(path)}`), { code: 'ENOENT' });
    return node;
  };
  const fileOf = (node: FileNode): StoreFile => ({
    write: (bytes, position) => {
      const put = (size: number): void => {
        const change: Change = { kind: 'write', bytes: Uint8Array.from(bytes.subarray(0, size)), position };
        node.current = applied(node.current, change);
        node.unsynced.push(change);
      };
      return run(
        'write',
        () => put(bytes.length),
        // Power can go when all of it has reached the cache.
        () => put(hasPower ? bytes.length >> 1 : bytes.length),
      );
    },
    read: (into, position) => Promise.resolve(node.current.copy(into, 0, position)),
    datasync: () =>
      run(
        'sync',
        () => {
          // Not what is shown now: a failed sync may have lost some of it.
          for (const change of node.unsynced) node.durable = applied(node.durable, change);
          node.unsynced = [];
        },
        // A failed sync loses what it was to bring to the disk; lost power leaves it as it was.
        () => {
          if (hasPower) node.unsynced = [];
        },
      ),
    truncate: (sizeBytes) =>
      run('truncate', () => {
        const change: Change = { kind: 'truncate', sizeBytes };
        node.current = applied(node.current, change);
        node.unsynced.push(change);
      }),
    sizeBytes: () => Promise.resolve(node.current.length),
    close: () => Promise.resolve(),
  });
  const makeFile = (path: string): void => {
    const node: FileNode = { current: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [] };
    rename(path, (all) => all.set(path, node));
  };
  const fileSystem: RenamingFileSystem = {
    makeFolder: () => Promise.resolve(),
    list: (folder) =>
      Promise.resolve([...names.keys()].filter((path) => dirname(path) === folder).map((path) => basename(path))),
    async openFile(path, mode) {
      if (!hasPower) throw new PowerLossError('no power');
      const fault = mode === 'write' ? faultOf('open') : undefined;
      if (fault !== undefined) throw fault;
      if (mode === 'write' && !names.has(path)) await run('open', () => makeFile(path));
      return fileOf(nodeAt(path));
    },
    remove: (path) => run('remove', () => rename(path, (all) => all.delete(path))),
    rename: (from, to) =>
      run('rename', () => {
        const node = nodeAt(from);
        rename(to, (all) => {
          all.delete(from);
          all.set(to, node);
        });
      }),
    syncFolder: (folder) =>
      run('syncFolder', () => {
        for (const { change } of unsyncedNames.filter((each) => each.folder === folder)) change(durableNames);
        unsyncedNames = unsyncedNames.filter((each) => each.folder !== folder);
      }),
  };

  return {
    fileSystem,
    operations: () => operations,
    losePowerAt: (operation) => (powerLossAt = operation),
    hasPower: () => hasPower,
    fail(operation, code) {
      if (code === undefined) faults.delete(operation);
      else faults.set(operation, code);
    },
    afterPowerLoss(draw) {
      const survivors = new Map(durableNames);
      // A journal keeps names in order: a beginning of what was not synced is there.
      for (const { change } of unsyncedNames.slice(0, draw(unsyncedNames.length + 1))) change(survivors);
      return createSimulatedFiles(settled(survivors, (node) => survivingBytes(node, draw)));
    },
    copy: () => createSimulatedFiles(settled(names, (node) => node.current)),
    paths: () => [...names.keys()].sort(),
    bytesOf: (path) => nodeAt(path).current,
    replace(path, bytes) {
      names.set(path, { current: Buffer.from(bytes), durable: Buffer.from(bytes), unsynced: [] });
      durableNames.set(path, nodeAt(path));
    },
    remove(path) {
      names.delete(path);
      durableNames.delete(path);
    },
  };
}

/** A state in which everything is durable. */
function settled(files: ReadonlyMap<string, FileNode>, bytesOf: (node: FileNode) => Buffer): State {
  const names = new Map<string, FileNode>();
  for (const [path, node] of files) {
    const bytes = bytesOf(node);
    names.set(path, { current: Buffer.from(bytes), durable: Buffer.from(bytes), unsynced: [] });
  }
  return { names, durableNames: new Map(names) };
}

function survivingBytes(node: FileNode, draw: Draw): Buffer {
  // None, all, a beginning, or any sectors.
  const mode = draw(4);
  if (mode === 0) return node.durable;
  if (mode === 1) return node.current;
  const kept = mode === 2 ? draw(node.unsynced.length + 1) : node.unsynced.length;
  let bytes = node.durable;
  for (const change of node.unsynced.slice(0, kept)) {
    if (change.kind === 'truncate') bytes = applied(bytes, change);
    else for (const sector of sectorsOf(change)) if (mode === 2 || draw(2) === 0) bytes = applied(bytes, sector);
  }
  const torn = node.unsynced[kept];
  if (mode === 2 && torn?.kind === 'write')
    bytes = applied(bytes, { ...torn, bytes: torn.bytes.subarray(0, draw(torn.bytes.length + 1)) });
  // The file may be longer than what of its content has arrived.
  if (mode === 3 && draw(2) === 0)
    bytes = applied(bytes, { kind: 'write', bytes: new Uint8Array(0), position: node.current.length });
  return bytes;
}

function applied(before: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') return Buffer.from(before.subarray(0, change.sizeBytes));
  const end = change.position + change.bytes.length;
  const after = Buffer.alloc(Math.max(before.length, end));
  before.copy(after);
  after.set(change.bytes, change.position);
  return after;
}

function* sectorsOf({ bytes, position }: Extract<Change, { kind: 'write' }>): Generator<Change> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + sectorSizeBytes - ((position + at) % sectorSizeBytes));
    yield { kind: 'write', bytes: bytes.subarray(at, end), position: position + at };
    at = end;
  }
}
