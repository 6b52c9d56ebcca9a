import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { WaymarkError } from '@waymark/protocol';

/** Fabric's own programs, as its releases contain them. */
export interface FabricPrograms {
  readonly peer: string;
  readonly orderer: string;
  /** As `peer version` says it, for example `3.1.5`. */
  readonly version: string;
}

const VERSION_TIMEOUT_MS = 10_000;

/**
 * Full path of a program.
 *
 * @param dir where to look; default: the folders of PATH
 */
export function findProgram(name: string, dir?: string): string | undefined {
  const folders = dir === undefined ? (process.env['PATH'] ?? '').split(delimiter) : [dir];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Fabric's peer and orderer, which must be of one version.
 *
 * @param dir where they are; default: PATH
 * @throws WaymarkError `program-missing` naming what is not there, or `configuration-invalid` when the versions differ
 */
export async function findFabricPrograms(dir?: string): Promise<FabricPrograms> {
  const found = { peer: findProgram('peer', dir), orderer: findProgram('orderer', dir) };
  const missing = Object.entries(found).flatMap(([name, path]) => (path === undefined ? [name] : []));
  if (found.peer === undefined || found.orderer === undefined) {
    throw new WaymarkError(
      'program-missing',
      `Fabric's ${missing.join(' and ')} not found ${placeText(dir)}: install a release of Hyperledger Fabric 2.5 or 3.1 and put the folder of its programs on PATH`,
      {
        details: { programs: missing },
      },
    );
  }
  const [version, ordererVersion] = await Promise.all([versionOf(found.peer), versionOf(found.orderer)]);
  if (version !== ordererVersion) {
    throw new WaymarkError('configuration-invalid', `peer is ${version}, orderer is ${ordererVersion}`);
  }
  return { peer: found.peer, orderer: found.orderer, version };
}

function placeText(dir: string | undefined): string {
  return dir === undefined ? 'on PATH' : `in ${dir}`;
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ['version'], { timeout: VERSION_TIMEOUT_MS });
  const version = /^\s*Version:\s*v?(\S+)/m.exec(stdout)?.[1];
  if (version === undefined) throw new WaymarkError('program-missing', `${program} does not say its version`);
  return version;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
