import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import type { FabricPrograms } from '../programs/programs.ts';
import type { NodeExit, NodeLaunch, NodeProcess, NodeRunner } from './runner.ts';

const BUILDER_DIR = join(import.meta.dirname, '..', '..', 'builders', 'ccaas');
const STOP_TIMEOUT_MS = 20_000;
const LOG_TAIL_CHARACTERS = 2000;

/**
 * Runs nodes as children of this process, from Fabric's own programs.
 *
 * @param runDir for pid files and logs, named after the nodes
 */
export function childProcessRunner(programs: FabricPrograms, runDir: string): NodeRunner {
  return {
    fabricVersion: programs.version,
    paths: ({ dataDir }) => ({ dataDir, builderDir: BUILDER_DIR }),
    start: (node) => startNode(programs, runDir, node),
  };
}

async function startNode(programs: FabricPrograms, runDir: string, node: NodeLaunch): Promise<NodeProcess> {
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  const logPath = join(runDir, `${node.hostName}.log`);
  const pidPath = join(runDir, `${node.hostName}.pid`);
  const log = createWriteStream(logPath, { flags: 'a' });
  // A full disk must not end the whole network's parent: the node's own troubles tell of it.
  log.on('error', () => undefined);
  const { PATH = '', HOME = '/', TMPDIR } = process.env;
  const child = spawn(programs[node.kind], node.kind === 'peer' ? ['node', 'start'] : [], {
    cwd: node.nodeDir,
    env: {
      PATH,
      HOME,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
      FABRIC_CFG_PATH: node.nodeDir,
      FABRIC_LOGGING_SPEC: node.loggingSpec,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.once('close', () => log.end());
  const exited = new Promise<NodeExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => void rm(pidPath, { force: true }).then(() => resolve({ code, signal })));
  });
  exited.catch(() => undefined);
  const { pid } = child;
  if (pid === undefined) {
    await exited.catch((cause: unknown) => {
      throw new WaymarkError('unavailable', `${node.hostName}: ${programs[node.kind]} cannot be run`, { cause });
    });
  }
  await writeFile(pidPath, `${pid}\n`);
  return {
    name: node.hostName,
    pid: pid ?? 0,
    exited,
    stop: () => stopChild(child, exited),
    kill: (signal) => void child.kill(signal),
    lastWords: () => lastWords(logPath),
  };
}

/** What a node says when it gives up stands in one line, before the stack. */
async function lastWords(logPath: string): Promise<string> {
  const lines = (await readFile(logPath, 'utf8').catch(() => '')).split('\n');
  const complaint = lines.findLast((line) => /\b(PANI|FATA|ERRO)\b|^panic:|^Error:/.test(line));
  return `${(complaint ?? lines.at(-1) ?? '').slice(0, LOG_TAIL_CHARACTERS)} (log: ${logPath})`;
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
