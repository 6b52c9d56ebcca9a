import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WaymarkError } from '@waymark/protocol';
import { type Layout, layoutOf } from '../layout.ts';
import { composeFileOf } from './compose-file.ts';
import { findEngine } from './engine.ts';
import { composeArguments } from './project.ts';
import { commandEnvironment } from './run-command.ts';

/** The containers of a data folder, from another process than the one that started them. */
export interface FolderContainers {
  /** Services of the compose file, whether they run or not. */
  names(): Promise<readonly string[]>;
  /** Prints the end of a container's log, and with `follow` what comes after it. */
  showLog(name: string, options: { readonly lines: number; readonly follow: boolean }): Promise<void>;
  /**
   * Runs a command in a running container, as the user its program runs as.
   *
   * @param input for its stdin
   * @throws WaymarkError `unavailable` when it fails
   */
  run(name: string, command: readonly string[], input?: Uint8Array): Promise<Buffer>;
  /**
   * Runs a command beside a node that does not run: in a container of its own with the node's image, user and volumes, which is gone afterwards.
   *
   * @param streams for its stdin and from its stdout; files, which are whole when it is done
   * @throws WaymarkError `unavailable` when it fails
   */
  runBeside(
    name: string,
    command: readonly [string, ...string[]],
    streams: { readonly input?: Readable; readonly output?: Writable },
  ): Promise<void>;
  /** Stops all containers; they and what they hold stay. Whoever started them may be gone. */
  stop(): Promise<void>;
  /** Stops all containers and removes them with their networks; with `volumes` also all they held. Nobody else's are touched. */
  takeDown(options: { readonly volumes: boolean }): Promise<void>;
}

const takeDownTimeoutMs = 180_000;
const maxOutputBytes = 16 * 1024 * 1024;

/**
 * Finds the containers of a data folder.
 *
 * @returns undefined when the folder has no compose file
 * @throws WaymarkError `program-missing`
 */
export async function containersOf(layout: Layout): Promise<FolderContainers | undefined> {
  if (!existsSync(composeFileOf(layout))) return undefined;
  const engine = await findEngine();
  const compose = (...args: string[]): string[] => composeArguments(layout, args);
  return {
    names: async () => {
      const text = await engine.docker(compose('config', '--services'));
      return text.split('\n').filter((line) => line !== '');
    },
    showLog: async (name, { lines, follow }) => {
      const args = compose('logs', '--no-log-prefix', '--tail', String(lines), ...(follow ? ['--follow'] : []), name);
      await outcomeOf(spawn('docker', args, { env: commandEnvironment(), stdio: ['ignore', 'inherit', 'inherit'] }));
    },
    run: async (name, command, input) => {
      const child = spawn('docker', compose('exec', '--no-TTY', name, ...command), {
        env: commandEnvironment(),
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      const pieces: Buffer[] = [];
      let sizeBytes = 0;
      child.stdout.on('data', (piece: Buffer) => {
        sizeBytes += piece.length;
        if (sizeBytes <= maxOutputBytes) pieces.push(piece);
      });
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      const code = await outcomeOf(child);
      if (code !== 0) throw new WaymarkError('unavailable', `${command[0] ?? ''} failed in ${name}`);
      return Buffer.concat(pieces);
    },
    runBeside: async (name, [program, ...args], { input, output }) => {
      const once = ['run', '--rm', '--no-deps', '--no-TTY', '--entrypoint', program, name, ...args];
      const child = spawn('docker', compose(...once), {
        env: commandEnvironment(),
        stdio: [input === undefined ? 'ignore' : 'pipe', output === undefined ? 'ignore' : 'pipe', 'ignore'],
      });
      const { stdin, stdout } = child;
      // What the command did not want to read is its own affair: its exit code tells.
      if (input !== undefined && stdin !== null) pipeline(input, stdin).catch(() => undefined);
      const written = output === undefined || stdout === null ? undefined : pipeline(stdout, output);
      const [code] = await Promise.all([outcomeOf(child), written]);
      if (code !== 0) throw new WaymarkError('unavailable', `${program} failed beside ${name}`);
    },
    stop: async () => {
      await engine.docker(compose('stop'), { timeoutMs: takeDownTimeoutMs });
    },
    takeDown: async ({ volumes }) => {
      await engine.docker(compose('down', '--remove-orphans', ...(volumes ? ['--volumes'] : [])), {
        timeoutMs: takeDownTimeoutMs,
      });
    },
  };
}

/**
 * Removes the containers, networks and volumes of a data folder, whatever it was made for; before the folder itself is removed.
 *
 * @throws WaymarkError `program-missing` when it has some and there is no engine
 */
export async function removeContainers(dataDir: string): Promise<void> {
  await (await containersOf(layoutOf(dataDir)))?.takeDown({ volumes: true });
}

function outcomeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
