import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { findKuboProgram } from '../programs/program.ts';
import { isListening } from './is-listening.ts';

/** What a runner is to start. */
export interface KuboRunOrder {
  /** Host name of the node. */
  readonly name: string;
  /** What the daemon reads; `sh <nodeDir>/start.sh <data>` runs it. A container mounts it read-only. */
  readonly nodeDir: string;
  /** Where its repository lies; a container has a volume in its place. */
  readonly dataDir: string;
  /** For pid file and log of a process. */
  readonly runDir: string;
  readonly swarmPort: number;
  readonly apiPort: number;
  readonly gatewayPort?: number | undefined;
}

/** How a process or container ended. */
export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running daemon. */
export interface NodeProcess {
  readonly name: string;
  /** 0 where the runner has no process of its own for it. */
  readonly pid: number;
  /** Resolves when it is gone, asked or not. */
  readonly exited: Promise<NodeExit>;
  /** Asks it to end, and ends it when it does not. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The last line it wrote, for a message; empty when there is none. */
  lastWords(): Promise<string>;
}

/** Starts nodes from their files: as processes of this machine, or in containers. It does not wait until they serve. */
export interface KuboRunner {
  start(order: KuboRunOrder): Promise<NodeProcess>;
}

export interface ProcessRunnerOptions {
  /** Folder of the `ipfs` program; default: PATH. */
  readonly programsDir?: string | undefined;
}

const stopTimeoutMs = 20_000;
const lineLimitCharacters = 500;

/** Runs daemons as processes of this machine. They outlive a parent that is killed. */
export function processRunner(options: ProcessRunnerOptions = {}): KuboRunner {
  return {
    /** @throws WaymarkError `program-missing`, `unsupported`, `unavailable` (a port in use; it cannot be started) */
    async start(order) {
      const program = await findKuboProgram(options.programsDir);
      await requireFreePorts(order);
      return await startProcess(order, program.path);
    },
  };
}

/** A daemon that outlived its parent would answer in the place of the one that is started. */
async function requireFreePorts({ name, swarmPort, apiPort, gatewayPort }: KuboRunOrder): Promise<void> {
  for (const port of [swarmPort, apiPort, gatewayPort]) {
    if (port === undefined || !(await isListening(port))) continue;
    throw new WaymarkError('unavailable', `${name} cannot be started: port ${port} is in use`, {
      details: { name, port, reason: 'port-in-use' },
    });
  }
}

async function startProcess(order: KuboRunOrder, program: string): Promise<NodeProcess> {
  await mkdir(order.runDir, { recursive: true, mode: 0o700 });
  await mkdir(order.dataDir, { recursive: true, mode: 0o700 });
  const logPath = join(order.runDir, `${order.name}.log`);
  const pidPath = join(order.runDir, `${order.name}.pid`);
  const { PATH = '', HOME = '/', TMPDIR } = process.env;
  const log = await open(logPath, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', [join(order.nodeDir, 'start.sh'), order.dataDir], {
      env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), KUBO_PROGRAM: program },
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
  const exited = new Promise<NodeExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => void rm(pidPath, { force: true }).then(() => resolve({ code, signal })));
  });
  exited.catch(() => undefined);
  const { pid } = child;
  if (pid === undefined) {
    throw new WaymarkError('unavailable', `${order.name} could not be started`, {
      cause: await exited.catch((cause: unknown) => cause),
    });
  }
  await writeFile(pidPath, `${pid}\n`);
  return {
    name: order.name,
    pid,
    exited,
    stop: () => stopChild(child, exited),
    kill: (signal) => void child.kill(signal),
    lastWords: async () => {
      const lines = (await readFile(logPath, 'utf8').catch(() => '')).split('\n');
      const line =
        lines.findLast((one) => /^Error|ERROR|FATAL|panic:/.test(one)) ?? lines.findLast((one) => one !== '');
      return line === undefined ? '' : `${line.slice(0, lineLimitCharacters)} (log: ${logPath})`;
    },
  };
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(timer);
}
