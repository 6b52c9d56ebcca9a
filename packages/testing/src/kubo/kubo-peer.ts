import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureSwarmKey, type KuboAuthorization, locateKubo, startKuboNode } from '@waymark/kubo-nodes';
import { base32upper } from 'multiformats/bases/base32';
import type { CID } from 'multiformats/cid';

/** A real kubo daemon of its own: fresh repository, loopback only, no peers, every write synced. */
export interface KuboPeer {
  /** Address of the RPC API. */
  readonly apiUrl: string;
  /** What opens the RPC API. */
  readonly authorization: KuboAuthorization;
  /** Address of kubo's own gateway. */
  readonly gatewayUrl: string;
  /** Runs `ipfs` against this repository, and so through the daemon. Rejects with its standard error. */
  run(args: readonly string[], input?: Uint8Array): Promise<Buffer>;
  /** The file in which the repository keeps a block. */
  blockFile(cid: CID): string;
  /** Ends the daemon and removes the repository. */
  stop(): Promise<void>;
}

/** The `ipfs` program on PATH, if there is one. */
export function findKubo(): string | undefined {
  return locateKubo();
}

/** Starts a kubo daemon; its ports are chosen by the system. */
export async function startKubo(program: string): Promise<KuboPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-kubo-'));
  try {
    const swarmKeyFile = join(folder, 'swarm.key');
    await ensureSwarmKey(swarmKeyFile);
    const [swarmPort = 0, apiPort = 0, gatewayPort = 0] = await freePorts(3);
    const node = await startKuboNode({
      hostName: 'ipfs.test.example',
      folder,
      swarmPort,
      apiPort,
      gatewayPort,
      swarmKeyFile,
      offline: true,
      programsDir: dirname(program),
    });
    const secret = (await readFile(node.authorization.secretFile, 'utf8')).trim();
    const env = { ...process.env, IPFS_PATH: node.repositoryDir };
    return {
      apiUrl: node.apiUrl,
      authorization: node.authorization,
      gatewayUrl: node.gatewayUrl ?? '',
      run: (args, input) => runProgram(program, [`--api-auth=bearer:${secret}`, ...args], env, input),
      blockFile: (cid) => blockFileOf(node.repositoryDir, cid),
      async stop() {
        await node.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (fault) {
    await rm(folder, { recursive: true, force: true });
    throw fault;
  }
}

/** Where flatfs puts a block: its multihash in base32, in a folder named by the last two characters but one. */
export function blockFileOf(repositoryDir: string, cid: CID): string {
  const key = base32upper.encode(cid.multihash.bytes).slice(1);
  return join(repositoryDir, 'blocks', key.slice(-3, -1), `${key}.data`);
}

/** As many different TCP ports of the loopback as asked for, which nothing listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  for (let at = 0; at < count; at++) {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const address = server.address();
    ports.push(typeof address === 'object' && address !== null ? address.port : 0);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
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
  if (code !== 0) throw new Error(`ipfs ${args.slice(1).join(' ')}: ${Buffer.concat(errors).toString('utf8')}`);
  return Buffer.concat(output);
}
