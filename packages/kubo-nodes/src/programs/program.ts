import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { WaymarkError } from '@waymark/protocol';

/** The `ipfs` program of kubo. */
export interface KuboProgram {
  readonly path: string;
  /** As `ipfs version` says it, for example `0.41.0`. */
  readonly version: string;
}

/** Older ones lack settings that a private swarm needs, or lose writes over damaged blocks. */
export const oldestKuboVersion = '0.40.0';

const versionTimeoutMs = 10_000;

/**
 * Full path of kubo's `ipfs`, if it is there; its version is not looked at.
 *
 * @param dir where to look; default: the folders of PATH
 */
export function locateKubo(dir?: string): string | undefined {
  const name = process.platform === 'win32' ? 'ipfs.exe' : 'ipfs';
  const folders = dir === undefined ? (process.env['PATH'] ?? '').split(delimiter) : [dir];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * Finds kubo.
 *
 * @param dir where to look; default: the folders of PATH
 * @throws WaymarkError `program-missing` when it is not there, `unsupported` when it is older than `oldestKuboVersion`
 */
export async function findKuboProgram(dir?: string): Promise<KuboProgram> {
  const path = locateKubo(dir);
  if (path === undefined) {
    throw new WaymarkError(
      'program-missing',
      `kubo's ipfs not found ${dir === undefined ? 'on PATH' : `in ${dir}`}: install a release of kubo ${oldestKuboVersion} or newer and put the folder of its program on PATH`,
      { details: { programs: ['ipfs'] } },
    );
  }
  const version = await versionOf(path);
  requireSupported(version);
  return { path, version };
}

/** @throws WaymarkError `unsupported` */
export function requireSupported(version: string): void {
  const found = numbersOf(version);
  const oldest = numbersOf(oldestKuboVersion);
  for (const [at, least] of oldest.entries()) {
    const is = found[at] ?? 0;
    if (is > least) return;
    if (is < least) {
      throw new WaymarkError('unsupported', `kubo ${version} is too old: ${oldestKuboVersion} or newer is needed`, {
        details: { version, oldest: oldestKuboVersion },
      });
    }
  }
}

function numbersOf(version: string): number[] {
  return version.split(/[-+]/)[0]?.split('.').map(Number) ?? [];
}

async function versionOf(path: string): Promise<string> {
  let output = '';
  try {
    output = (await promisify(execFile)(path, ['version', '--number'], { timeout: versionTimeoutMs })).stdout;
  } catch (cause) {
    throw new WaymarkError('program-missing', `${path} does not run`, { cause });
  }
  const version = /^\d+\.\d+\.\d+\S*/.exec(output.trim())?.[0];
  if (version === undefined) throw new WaymarkError('program-missing', `${path} does not say its version`);
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
