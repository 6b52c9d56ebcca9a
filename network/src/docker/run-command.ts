import { spawn } from 'node:child_process';
import { appendFile } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';

/** How a command ended, with what it wrote. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** The command is ended after this time. */
  readonly timeoutMs: number;
  /** What it writes is added to this file. */
  readonly logFile?: string;
  /** Beside what is handed on. */
  readonly environment?: Readonly<Record<string, string>>;
}

const maxOutputCharacters = 4 * 1024 * 1024;
/** What Docker's programs take from the environment; variables of Compose itself must not change what a file says. */
const handedOn =
  /^(PATH|HOME|TMPDIR|LANG|XDG_RUNTIME_DIR|DOCKER_[A-Z_]+|BUILDX_[A-Z_]+|BUILDKIT_[A-Z_]+|SSH_AUTH_SOCK|[a-zA-Z]+_(proxy|PROXY))$/;

/** The environment for Docker's programs. */
export function commandEnvironment(from: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(from).filter(([name]) => handedOn.test(name)));
}

/**
 * Runs a program to its end.
 *
 * @throws WaymarkError `program-missing` when it cannot be started, `unavailable` when it takes too long
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const started = spawn(program, [...args], {
    env: { ...commandEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    started[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < maxOutputCharacters) output[name] += text;
    });
  }
  const limit = { reached: false };
  const timer = setTimeout(() => {
    limit.reached = true;
    started.kill('SIGKILL');
  }, options.timeoutMs);
  const code = await new Promise<number>((resolve, reject) => {
    started.once('error', (cause) =>
      reject(
        new WaymarkError('program-missing', `${program} cannot be run`, { details: { programs: [program] }, cause }),
      ),
    );
    started.once('close', (status) => resolve(status ?? 1));
  }).finally(() => clearTimeout(timer));
  if (options.logFile !== undefined) {
    const lines = [`$ ${program} ${args.join(' ')}`, output.stdout.trim(), output.stderr.trim(), `exit ${code}`];
    await appendFile(options.logFile, `${lines.filter((line) => line !== '').join('\n')}\n`);
  }
  if (limit.reached) {
    throw new WaymarkError('unavailable', `${program} ${args[0] ?? ''} took longer than ${options.timeoutMs / 1000} s`);
  }
  return { code, ...output };
}
