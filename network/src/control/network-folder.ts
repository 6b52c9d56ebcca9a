import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Runtime } from '../runtime.ts';
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
  const { runtime, fabricVersion, publish } = parsedMark(mark, await readFile(mark, 'utf8'));
  // Begun, and cut short.
  if (!existsSync(join(dataDir, topologyFile))) return undefined;
  return { runtime, topology: await readTopology(join(dataDir, topologyFile)), fabricVersion, publish };
}

const markSchema = z.looseObject({
  version: z.literal(1),
  runtime: z.enum(['embedded', 'native', 'docker']),
  fabricVersion: z.string().optional(),
  publish: z.string().optional(),
});

function parsedMark(file: string, text: string): z.infer<typeof markSchema> {
  try {
    return markSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', `${file} is not what a network writes there`, { cause });
  }
}

/**
 * Begins a network's folder.
 * @throws WaymarkError `configuration-invalid` when it holds things that are not a network's
 */
export async function beginNetworkFolder(dataDir: string, { topology, ...made }: NetworkFolder): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Cut short before, it holds the mark and a part of the topology; a topology without a mark is somebody else's.
  const begun = [markFile, `${markFile}.partial`, `${topologyFile}.partial`];
  const foreign = (await readdir(dataDir)).filter((name) => !begun.includes(name));
  if (foreign.length > 0) {
    throw new WaymarkError(
      'configuration-invalid',
      `${dataDir} holds ${foreign[0] ?? ''}, which is not a network's: choose another folder`,
    );
  }
  await writeWhole(join(dataDir, markFile), `${JSON.stringify({ version: 1, ...made })}\n`);
  // The topology is last: with both, the folder is a network's.
  await writeTopology(dataDir, topology);
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
  for (const entry of ownEntries.flatMap((name) => [`${name}.partial`, name])) {
    await rm(join(dataDir, entry), { recursive: true, force: true });
  }
  const left = await readdir(dataDir);
  if (left.length === 0) await rmdir(dataDir);
  return left;
}
