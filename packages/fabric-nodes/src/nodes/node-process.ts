import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WaymarkError } from '@waymark/protocol';
import { isListening } from './is-listening.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;
const LOG_TAIL_CHARACTERS = 2000;

/** How one of Fabric's programs is started. */
export interface NodeProcessPlan {
  /** Host name of the node; log and pid file are named after it. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly runDir: string;
  /** Its health check answers 200 when the node is well. */
  readonly operationsPort: number;
  /** Where it serves: the health check may answer a little before that. */
  readonly port: number;
}

/** A running orderer or peer. */
export interface NodeProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Resolves when the process is gone, asked or not. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGTERM, and SIGKILL for one that does not end within 20 s. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a node and waits for its health check.
 *
 * @throws WaymarkError `unavailable` with the end of its log when it ends or does not serve within 60 s
 */
export async function startNodeProcess(plan: NodeProcessPlan): Promise<NodeProcess> {
  await mkdir(plan.runDir, { recursive: true, mode: 0o700 });
  const logPath = join(plan.runDir, `${plan.name}.log`);
  const pidPath = join(plan.runDir, `${plan.name}.pid`);
  const log = createWriteStream(logPath, { flags: 'a' });
  // A full disk must not end the whole network's parent: the node's own troubles tell of it.
  log.on('error', () => undefined);
  const { PATH = '', HOME = '/', TMPDIR } = process.env;
  const child = spawn(plan.program, [...plan.args], {
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...plan.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.once('close', () => log.end());
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => void rm(pidPath, { force: true }).then(() => resolve({ code, signal })));
  });
  exited.catch(() => undefined);
  const stop = () => stopChild(child, exited);
  try {
    const { pid } = child;
    if (pid === undefined) await exited;
    await writeFile(pidPath, `${pid}\n`);
    await untilHealthy(child, plan);
    return { name: plan.name, pid: pid ?? 0, logPath, exited, stop, kill: (signal) => void child.kill(signal) };
  } catch (cause) {
    await stop().catch(() => undefined);
    throw new WaymarkError('unavailable', `${plan.name} did not start: ${await lastWords(logPath)}`, { cause });
  }
}

/** What a node says when it gives up stands in one line, before the stack. */
async function lastWords(logPath: string): Promise<string> {
  const lines = (await readFile(logPath, 'utf8').catch(() => '')).split('\n');
  const complaint = lines.findLast((line) => /\b(PANI|FATA|ERRO)\b|^panic:|^Error:/.test(line));
  return `${(complaint ?? lines.at(-1) ?? '').slice(0, LOG_TAIL_CHARACTERS)} (log: ${logPath})`;
}

async function untilHealthy(child: ChildProcess, plan: NodeProcessPlan): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the process has ended');
    try {
      const response = await fetch(`http://127.0.0.1:${plan.operationsPort}/healthz`, {
        signal: AbortSignal.timeout(5_000),
      });
      if (response.ok && (await isListening(plan.port))) return;
    } catch {
      // Not listening yet.
    }
    await delay(POLL_MS);
  }
  throw new Error('its health check did not answer in time');
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
