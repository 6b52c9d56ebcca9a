import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
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

/** Starts the built chaincode, or the one installed at `folder`, as a service under `packageId`. */
export async function startChaincode(
  options: { readonly packageId?: string; readonly folder?: string } = {},
): Promise<RunningChaincode> {
  const folder = options.folder ?? (await ensureChaincodeBuilt());
  const address = `127.0.0.1:${String(await freePort())}`;
  const child = spawn(process.execPath, [join(folder, 'start.js')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      CHAINCODE_SERVER_ADDRESS: address,
      CHAINCODE_ID: options.packageId ?? 'waymark_test:0000',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  try {
    const peer = await Promise.race([connectShimPeer(address, { timeoutMs: 20_000 }), exitOf(child, printed)]);
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
