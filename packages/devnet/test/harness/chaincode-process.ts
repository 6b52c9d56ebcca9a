import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';

const ASSET_CONTRACT = join(import.meta.dirname, '../../../../examples/asset-contract');

/** A chaincode server in a process of its own, as an operator starts it. */
export interface ChaincodeProcess {
  readonly address: string;
  readonly packageId: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts the unrelated contract of `examples/` with the standard command. It is up some time later: networks redial. */
export async function startAssetContract(
  options: { readonly port?: number; readonly folder?: string; readonly packageId?: string } = {},
): Promise<ChaincodeProcess> {
  const folder = options.folder ?? ASSET_CONTRACT;
  const packageId = options.packageId ?? 'assets_1.0:00ff';
  const address = `127.0.0.1:${options.port ?? (await freePort())}`;
  const cli = createRequire(join(ASSET_CONTRACT, 'index.js')).resolve('fabric-shim/cli.js');
  const child = spawn(process.execPath, [cli, 'server', '--chaincode-address', address, '--chaincode-id', packageId], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR' },
  });
  return {
    address,
    packageId,
    process: child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
