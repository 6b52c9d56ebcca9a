/** One entry of a lock file's `packages` (npm documentation, package-lock.json). */
export interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** The part of a lock file (version 3) that matters here. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** What the shrinkwrap says of the package itself. */
export interface RootPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * The `npm-shrinkwrap.json` of a workspace that is installed alone: those entries of the repository's lock file that its production
 * dependencies reach, at the same versions and hashes. `resolved` is left out, so that any registry will do.
 *
 * @param workspace path of the workspace in the repository, such as `chaincode`
 */
export function deriveShrinkwrap(lock: LockFile, workspace: string, root: RootPackage): object {
  const reached = new Map<string, LockEntry>();
  const queue: string[] = [];
  const reach = (from: string, dependencies: Readonly<Record<string, string>> | undefined, optional: boolean): void => {
    for (const name of Object.keys(dependencies ?? {})) {
      const path = resolve(lock, from, name);
      if (path === undefined) {
        if (optional) continue;
        throw new Error(`the lock file does not hold ${name}, which ${from} needs`);
      }
      if (!reached.has(path)) {
        reached.set(path, lock.packages[path] ?? {});
        queue.push(path);
      }
    }
  };
  reach(workspace, root.dependencies, false);
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    reach(path, lock.packages[path]?.dependencies, false);
    reach(path, lock.packages[path]?.optionalDependencies, true);
  }
  const packages: Record<string, unknown> = { '': { ...root } };
  for (const path of [...reached.keys()].sort()) {
    const entry = reached.get(path);
    const placed = path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path;
    if (Object.hasOwn(packages, placed)) throw new Error(`two versions want to be ${placed}`);
    packages[placed] = productionEntry(entry ?? {});
  }
  return { name: root.name, version: root.version, lockfileVersion: 3, requires: true, packages };
}

/** Where a package came from and who asks for money, and marks that are not true of an installation without the repository. */
const unwantedFields = new Set(['resolved', 'dev', 'devOptional', 'peer', 'funding']);

/** Where Node would find `name` from a package at `from`: its own `node_modules`, then those of the folders above. */
function resolve(lock: LockFile, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : '') {
    if (!folder.endsWith('node_modules')) {
      const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
      const entry = lock.packages[path];
      if (entry !== undefined) return entry.link === true ? undefined : path;
    }
    if (folder === '') return undefined;
  }
}

function productionEntry(entry: LockEntry): LockEntry {
  return Object.fromEntries(Object.entries(entry).filter(([field]) => !unwantedFields.has(field)));
}
