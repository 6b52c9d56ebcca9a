import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '@waymark/fabric-nodes';
import { WaymarkError } from '@waymark/protocol';

/** etcd, as distributions package it. */
export interface EtcdProgram {
  readonly path: string;
  /** For example `3.4.23`. */
  readonly version: string;
}

const versionTimeoutMs = 10_000;

/** @throws WaymarkError `program-missing` when etcd is not on PATH */
export async function findEtcd(): Promise<EtcdProgram> {
  const path = findProgram('etcd');
  if (path === undefined)
    throw new WaymarkError(
      'program-missing',
      'etcd is not on PATH: install it (Debian and Ubuntu: apt-get install etcd-server)',
      { details: { programs: ['etcd'] } },
    );
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: versionTimeoutMs });
  const version = /^etcd Version: (\S+)$/m.exec(stdout)?.[1];
  if (version === undefined) throw new WaymarkError('program-missing', `${path} does not say its version`);
  return { path, version };
}
