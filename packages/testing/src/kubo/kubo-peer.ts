import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { base32upper } from 'multiformats/bases/base32';
import type { CID } from 'multiformats/cid';

/** A real kubo daemon of its own: fresh repository, loopback only, no peers, every write synced. */
export interface KuboPeer {
  /** Address of the RPC API. */
  readonly apiUrl: string;
  /** Address of kubo's own gateway. */
  readonly gatewayUrl: string;
  /** Runs `ipfs` against this repository, and so through the daemon. Rejects with its standard error. */
  run(args: readonly string[], input?: Uint8Array): Promise<Buffer>;
  /** The file in which the repository keeps a block. */
  blockFile(cid: CID): string;
  /** Ends the daemon and removes the repository. */
  stop(): Promise<void>;
}

const startLimitMs = 60_000;
const stopLimitMs = 10_000;

/** The `ipfs` program on PATH, if there is one. */
export function findKubo(): string | undefined {
  const names = process.platform === 'win32' ? ['ipfs.exe'] : ['ipfs'];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      if (folder !== '' && isExecutable(path)) return path;
    }
  }
  return undefined;
}

/** Starts a kubo daemon; its ports are chosen by the system. */
export async function startKubo(program: string): Promise<KuboPeer> {
  const repository = await mkdtemp(join(tmpdir(), 'waymark-kubo-'));
  const env = { ...process.env, IPFS_PATH: repository, IPFS_TELEMETRY: 'off' };
  const run = (args: readonly string[], input?: Uint8Array): Promise<Buffer> => runProgram(program, args, env, input);
  let daemon: ChildProcess | undefined;
  try {
    await run(['init', '--profile', 'test']);
    await syncEveryWrite(join(repository, 'config'));
    daemon = spawn(program, ['daemon', '--offline'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { api, gateway } = await addressesOf(daemon);
    const started = daemon;
    return {
      apiUrl: api,
      gatewayUrl: gateway,
      run,
      blockFile: (cid) => join(repository, 'blocks', ...blockPath(cid)),
      async stop() {
        await stopDaemon(started);
        await rm(repository, { recursive: true, force: true });
      },
    };
  } catch (fault) {
    if (daemon !== undefined) await stopDaemon(daemon);
    await rm(repository, { recursive: true, force: true });
    throw fault;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Kubo's default datastore answers before blocks are on disk. */
async function syncEveryWrite(configFile: string): Promise<void> {
  const text = await readFile(configFile, 'utf8');
  await writeFile(configFile, text.replace(/("sync":\s*)false/, '$1true'));
}

/** Where flatfs puts a block: its multihash in base32, in a folder named by the last two characters but one. */
function blockPath(cid: CID): [string, string] {
  const key = base32upper.encode(cid.multihash.bytes).slice(1);
  return [key.slice(-3, -1), `${key}.data`];
}

async function addressesOf(daemon: ChildProcess): Promise<{ api: string; gateway: string }> {
  let output = '';
  const { promise, resolve, reject } = deferred<{ api: string; gateway: string }>();
  const timer = setTimeout(() => reject(new Error(`kubo did not start in time: ${output}`)), startLimitMs);
  const read = (piece: Buffer): void => {
    output += piece.toString('utf8');
    const api = listeningAddress(output, 'RPC API');
    const gateway = listeningAddress(output, 'Gateway');
    if (api !== undefined && gateway !== undefined && output.includes('Daemon is ready')) resolve({ api, gateway });
  };
  daemon.stdout?.on('data', read);
  daemon.stderr?.on('data', read);
  daemon.once('error', reject);
  daemon.once('exit', () => reject(new Error(`kubo ended while starting: ${output}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function listeningAddress(output: string, server: string): string | undefined {
  const found = new RegExp(`${server} server listening on /ip4/([0-9.]+)/tcp/([0-9]+)`).exec(output);
  return found === null ? undefined : `http://${found[1] ?? ''}:${found[2] ?? ''}`;
}

async function stopDaemon(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exit = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const timer = setTimeout(() => daemon.kill('SIGKILL'), stopLimitMs);
  await exit;
  clearTimeout(timer);
}

async function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input: Uint8Array | undefined,
): Promise<Buffer> {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => output.push(piece));
  child.stderr.on('data', (piece: Buffer) => errors.push(piece));
  child.stdin.on('error', () => undefined); // a program that ended early is judged by its exit code
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ipfs ${args.join(' ')}: ${Buffer.concat(errors).toString('utf8')}`);
  return Buffer.concat(output);
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (fault: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (fault: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
