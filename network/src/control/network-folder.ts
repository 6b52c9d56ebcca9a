import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { stringify } from 'yaml';
import { layoutOf } from '../layout.ts';
import { type Runtime, runtimes } from '../runtime.ts';
import { readTopology, type Topology } from '../topology.ts';
import { writeWhole } from '../write-whole.ts';

/** What a network was made as; it stays so until it is cleaned away. */
export interface NetworkFolder {
  readonly runtime: Runtime;
  readonly topology: Topology;
  /** Docker only; see `ConsortiumOptions`. */
  readonly fabricVersion?: string | undefined;
  readonly publish?: string | undefined;
}

const markFile = 'network.json';
const topologyFile = 'topology.yaml';
/** All that a network puts into its folder. Nothing else is ever removed. */
const ownEntries = [
  'content',
  'devnet',
  'docker',
  'fabric',
  'organisations',
  'run',
  'ports.json',
  'profile.yaml',
  'registered.json',
  'lock',
  'lock-journal',
  topologyFile,
  markFile,
];

/** Reads what was made in a folder; undefined when nothing was. */
export async function readNetworkFolder(dataDir: string): Promise<NetworkFolder | undefined> {
  const mark = join(dataDir, markFile);
  if (!existsSync(mark)) return undefined;
  const { runtime, fabricVersion, publish } = JSON.parse(await readFile(mark, 'utf8')) as Omit<
    NetworkFolder,
    'runtime' | 'topology'
  > & { runtime: string };
  const known = runtimes.find((name) => name === runtime);
  if (known === undefined) throw new WaymarkError('configuration-invalid', `${mark}: runtime ${runtime} is not known`);
  return { runtime: known, topology: await readTopology(join(dataDir, topologyFile)), fabricVersion, publish };
}

/**
 * Begins a network's folder.
 * @throws WaymarkError `configuration-invalid` when it holds things that are not a network's
 */
export async function beginNetworkFolder(dataDir: string, { topology, ...made }: NetworkFolder): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const foreign = (await readdir(dataDir)).filter(
    (name) => name !== `${topologyFile}.partial` && name !== topologyFile,
  );
  if (foreign.length > 0) {
    throw new WaymarkError(
      'configuration-invalid',
      `${dataDir} holds ${foreign[0] ?? ''}, which is not a network's: choose another folder`,
    );
  }
  await writeTopology(dataDir, topology);
  // The mark is last: with it, the folder is a network's.
  await writeWhole(join(dataDir, markFile), `${JSON.stringify({ version: 1, ...made })}\n`);
}

/** Keeps the topology as it is now: organisations that were added, the chaincode as it was upgraded. */
export async function writeTopology(dataDir: string, topology: Topology): Promise<void> {
  await writeWhole(join(dataDir, topologyFile), stringify(topology));
}

/**
 * Removes what a network made, and the folder when nothing else is in it.
 * @returns what is left because somebody else put it there
 */
export async function removeNetworkFolder(dataDir: string): Promise<readonly string[]> {
  // The mark goes last: a removal that was cut short can be repeated.
  for (const entry of ownEntries) await rm(join(dataDir, entry), { recursive: true, force: true });
  const left = await readdir(dataDir);
  if (left.length === 0) await rmdir(dataDir);
  return left;
}

/** The layout of a network that was made. */
export function layoutOfFolder(dataDir: string, { runtime }: NetworkFolder): ReturnType<typeof layoutOf> {
  return layoutOf(dataDir, runtime);
}
