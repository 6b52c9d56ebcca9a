import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { connectShimPeer, type ShimPeer } from '@waymark/testing/shim-peer';
import { ensureChaincodeBuilt } from '../../../scripts/build-chaincode.ts';

/** A chaincode process and a stream to it. */
export interface RunningChaincode {
  readonly peer: ShimPeer;
  readonly address: string;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** What to start. */
export interface ChaincodeOptions {
  /** Default `waymark_test:0000`. */
  readonly packageId?: string;
  /** Default: the built chaincode of this repository. */
  readonly folder?: string;
  /** Arguments of Node; default the chaincode's `start.js`. */
  readonly command?: (address: string, packageId: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly tls?: ChannelCredentials;
}

/** Starts a chaincode as a service and dials it. */
export async function startChaincode(options: ChaincodeOptions = {}): Promise<RunningChaincode> {
  const folder = options.folder ?? (await ensureChaincodeBuilt());
  const packageId = options.packageId ?? 'waymark_test:0000';
  const address = `127.0.0.1:${String(await freePort())}`;
  const child = spawn(process.execPath, options.command?.(address, packageId) ?? [join(folder, 'start.js')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      CHAINCODE_SERVER_ADDRESS: address,
      CHAINCODE_ID: packageId,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  try {
    const peer = await Promise.race([
      connectShimPeer(address, { timeoutMs: 20_000, ...(options.tls && { tls: options.tls }) }),
      exitOf(child, printed),
    ]);
    return {
      peer,
      address,
      output: () => printed.join(''),
      async stop() {
        peer.close();
        const exited = new Promise((resolve) => child.once('exit', resolve));
        if (child.exitCode === null && child.signalCode === null) {
          child.kill();
          await exited;
        }
      },
    };
  } catch (error) {
    child.kill();
    throw error;
  }
}

function exitOf(child: ChildProcess, printed: readonly string[]): Promise<never> {
  return new Promise((_resolve, reject) =>
    child.once('exit', (code) => reject(new Error(`the chaincode exited with ${String(code)}: ${printed.join('')}`))),
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
