import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { type CommandOptions, type CommandResult, runCommand } from './run-command.ts';

/** A Docker engine that answers, with Compose v2. */
export interface Engine {
  readonly version: string;
  readonly composeVersion: string;
  /** Of the `docker` program. */
  readonly clientVersion: string;
  /** An engine of an ordinary user: root in its containers is that user. */
  readonly rootless: boolean;
  /**
   * Runs `docker ...`.
   * @throws WaymarkError `unavailable` when it fails or takes too long
   */
  docker(args: readonly string[], options?: Partial<CommandOptions>): Promise<string>;
  /** As `docker`, and gives the exit code instead of throwing. */
  tryDocker(args: readonly string[], options?: Partial<CommandOptions>): Promise<CommandResult>;
}

const program = 'docker';
const answerTimeoutMs = 20_000;
const commandTimeoutMs = 120_000;
const oldestCompose = [2, 20] as const;
const maxReasonCharacters = 500;

/**
 * Finds the engine: `docker` on PATH, with whatever context or DOCKER_HOST it is set up for.
 *
 * @throws WaymarkError `program-missing`, saying in one line what is to be installed or started
 */
export async function findEngine(): Promise<Engine> {
  const missing = (message: string, cause?: unknown): WaymarkError =>
    new WaymarkError('program-missing', message, { details: { programs: [program] }, cause });
  const ask = async (...args: string[]): Promise<CommandResult> => {
    try {
      return await runCommand(program, args, { timeoutMs: answerTimeoutMs });
    } catch (error) {
      if (isWaymarkError(error, 'program-missing')) {
        throw missing('docker not found on PATH: install Docker Engine 20.10 or newer with Compose v2', error);
      }
      throw missing(`the Docker engine does not answer within ${answerTimeoutMs / 1000} s`, error);
    }
  };
  const info = await ask('info', '--format', '{{json .}}');
  const facts = parseInfo(info.stdout);
  if (info.code !== 0 || facts === undefined) {
    throw missing(`docker is installed, but its engine does not answer: ${lastLine(info.stderr) || 'is it running?'}`);
  }
  const compose = await ask('compose', 'version', '--short');
  if (compose.code !== 0) throw missing('Docker Compose v2 is missing: install the docker-compose-plugin');
  const composeVersion = compose.stdout.trim().replace(/^v/, '');
  if (isTooOld(composeVersion)) {
    throw missing(`Docker Compose ${composeVersion} is too old: ${oldestCompose.join('.')} or newer is needed`);
  }
  const tryDocker: Engine['tryDocker'] = (args, options = {}) =>
    runCommand(program, args, { timeoutMs: commandTimeoutMs, ...options });
  return {
    ...facts,
    composeVersion,
    tryDocker,
    docker: async (args, options) => {
      const result = await tryDocker(args, options);
      if (result.code === 0) return result.stdout;
      const verb = args[0] === 'compose' ? 'compose' : (args[0] ?? '');
      const place = options?.logFile === undefined ? '' : ` (log: ${options.logFile})`;
      throw new WaymarkError('unavailable', `docker ${verb} failed: ${lastLine(result.stderr)}${place}`);
    },
  };
}

/** What `docker info` says of the engine; undefined when it did not reach one. */
function parseInfo(text: string): Pick<Engine, 'version' | 'clientVersion' | 'rootless'> | undefined {
  try {
    const info = JSON.parse(text) as {
      readonly ServerVersion?: unknown;
      readonly SecurityOptions?: unknown;
      readonly ClientInfo?: { readonly Version?: unknown };
    };
    if (typeof info.ServerVersion !== 'string' || info.ServerVersion === '') return undefined;
    const options = Array.isArray(info.SecurityOptions) ? info.SecurityOptions.map(String) : [];
    return {
      version: info.ServerVersion,
      // Older ones do not say it here.
      clientVersion: typeof info.ClientInfo?.Version === 'string' ? info.ClientInfo.Version : info.ServerVersion,
      rootless: options.some((option) => option.includes('name=rootless')),
    };
  } catch {
    return undefined;
  }
}

function isTooOld(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || Number.isNaN(major)) return false; // built from source: it does not say
  const [oldestMajor, oldestMinor] = oldestCompose;
  return major < oldestMajor || (major === oldestMajor && (minor ?? 0) < oldestMinor);
}

function lastLine(text: string): string {
  const line = text
    .split('\n')
    .map((one) => one.trim())
    .findLast((one) => one !== '');
  return (line ?? '').slice(0, maxReasonCharacters);
}
