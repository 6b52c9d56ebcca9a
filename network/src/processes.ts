import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WaymarkError } from '@waymark/protocol';

/** What to start. */
export interface ProcessPlan {
  /** Unique name; log and pid file are named after it. */
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Node's own flags. */
  readonly nodeArgs?: readonly string[];
  readonly cwd?: string;
  /** Ready when a JSON line with `event: "ready"` arrives on stdout, or (false) as soon as it is started. */
  readonly announcesReady: boolean;
}

/** A running process of the network. */
export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** What its ready line said. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to end (SIGTERM), then insists after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

const readyTimeoutMs = 60_000;

/**
 * Starts Node processes with their logs and pid files under one folder.
 * The environment is not handed on: a child gets PATH, HOME, what its plan says and the folder, by which it is known as this network's.
 */
export async function startProcess(plan: ProcessPlan, runDir: string): Promise<RunningProcess> {
  mkdirSync(runDir, { recursive: true });
  const logPath = join(runDir, `${plan.name}.log`);
  const log = createWriteStream(logPath, { flags: 'a' });
  const child = spawn(
    process.execPath,
    [
      // Node remarks that TLS has no server name for an address; the certificates hold the address.
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=DEP0123',
      ...(plan.nodeArgs ?? []),
      ...additionalNodeArgs(),
      plan.script,
      ...plan.args,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
      env: inheritedEnvironment({ ...plan.env, WAYMARK_RUN_FOLDER: runDir }),
    },
  );
  const pid = child.pid;
  if (pid === undefined) {
    throw new WaymarkError('internal', `${plan.name} could not be started`);
  }
  child.stderr.pipe(log, { end: false });
  const pidPath = join(runDir, `${plan.name}.pid`);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    // Only after "close" has the last line arrived.
    child.once('close', () => log.end());
    child.once('exit', (code, signal) => {
      removePidFile(pidPath, pid);
      resolve({ code, signal });
    });
  });
  // At once: an end that is heard of before would leave the file behind.
  writeFileSync(pidPath, `${String(pid)}\n`);
  const ready = await waitUntilReady(child, plan, logPath, log);
  return {
    name: plan.name,
    pid,
    ready,
    exited,
    kill: (signal) => {
      child.kill(signal);
    },
    stop: async (graceMs = 10_000) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Only its own: by the time an end is heard of, the next process of that name may have written the file anew. */
function removePidFile(path: string, pid: number): void {
  try {
    if (Number(readFileSync(path, 'utf8')) === pid) rmSync(path, { force: true });
  } catch (error) {
    // Whoever clears the folder away may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Flags for every process, such as `--cpu-prof --cpu-prof-dir=DIR`: for profiling and for trying settings out. */
function additionalNodeArgs(): string[] {
  return (process.env['WAYMARK_NODE_ARGS'] ?? '').split(' ').filter((flag) => flag !== '');
}

function inheritedEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const key of ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG', 'NODE_COMPILE_CACHE']) {
    const value = process.env[key];
    if (value !== undefined) kept[key] = value;
  }
  return { ...kept, ...extra };
}

async function waitUntilReady(
  child: ChildProcess,
  plan: ProcessPlan,
  logPath: string,
  log: NodeJS.WritableStream,
): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = child;
  if (stdout === null) throw new WaymarkError('internal', `${plan.name} has no output`);
  const lines = createInterface({ input: stdout });
  if (!plan.announcesReady) {
    lines.on('line', (line) => log.write(`${line}\n`));
    return {};
  }
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      reject(
        new WaymarkError('unavailable', `${plan.name} ${reason}; its log is ${logPath}`, {
          details: { process: plan.name },
        }),
      );
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail('did not become ready in time');
    }, readyTimeoutMs);
    child.once('exit', (code, signal) => fail(`ended before it was ready (${String(code ?? signal)})`));
    lines.on('line', (line) => {
      const ready = parseReady(line);
      if (ready === undefined) {
        log.write(`${line}\n`);
        return;
      }
      clearTimeout(timer);
      resolve(ready);
    });
  });
}

function parseReady(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return value['event'] === 'ready' ? value : undefined;
  } catch {
    return undefined;
  }
}
