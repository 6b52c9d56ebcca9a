import type { ComposeMount, ComposeService, Healthcheck } from './compose-document.ts';

/** What every container of a network has in common: as few rights as it can do with, and bounds on everything. */
export type Hardened = Pick<
  ComposeService,
  | 'restart'
  | 'init'
  | 'read_only'
  | 'cap_drop'
  | 'security_opt'
  | 'tmpfs'
  | 'mem_limit'
  | 'pids_limit'
  | 'stop_grace_period'
  | 'logging'
>;

/** Memory and processes that a container may use. */
export interface ContainerLimits {
  readonly memory: string;
  /** Threads count as well. */
  readonly pids: number;
}

/** The settings of a container that runs all the time. */
export function hardened({ memory, pids }: ContainerLimits): Hardened {
  return {
    restart: 'unless-stopped',
    init: true,
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    tmpfs: ['/tmp:size=128m,mode=1777'],
    mem_limit: memory,
    pids_limit: pids,
    stop_grace_period: '20s',
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
  };
}

/** A check every 10 s; a container is unhealthy after three that failed, once `startPeriod` is over. */
export function checkedBy(startPeriod: string, ...test: [string, ...string[]]): Healthcheck {
  return { test: ['CMD', ...test], interval: '10s', timeout: '5s', retries: 3, start_period: startPeriod };
}

/** A folder of this machine, for reading unless said otherwise. */
export function folder(source: string, target: string, access: 'read' | 'write' = 'read'): ComposeMount {
  return { type: 'bind', source, target, read_only: access === 'read', bind: { create_host_path: false } };
}

/** A named volume. */
export function volume(source: string, target: string): ComposeMount {
  return { type: 'volume', source, target, volume: { nocopy: true } };
}
