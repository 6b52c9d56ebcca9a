import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { DevnetError } from '../errors.ts';

const NAME_AND_PLACE = /^([^=]+)=(.+)$/;
const ADDRESS = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/;
const GRACE_MS = 2_000;

/** A chaincode on the command line: a server that runs already, or a folder to start one from. */
export type ChaincodeArgument =
  { readonly name: string; readonly address: string } | { readonly name: string; readonly folder: string };

export interface RunningChaincodes {
  readonly addresses: readonly { readonly name: string; readonly address: string; readonly packageId?: string }[];
  stop(): Promise<void>;
}

/** Reads `name=host:port` or `name=folder`. Throws DevnetError OPTIONS_INVALID. */
export function parseChaincode(text: string): ChaincodeArgument {
  const [, name, place] = NAME_AND_PLACE.exec(text) ?? [];
  if (name === undefined || place === undefined) {
    throw new DevnetError('OPTIONS_INVALID', `expected name=host:port or name=folder, got '${text}'`);
  }
  return ADDRESS.test(place) ? { name, address: place } : { name, folder: resolve(place) };
}

/** Starts the servers of those that are folders of Node chaincode, with the fabric-shim that the folder has. */
export async function startChaincodes(
  chaincodes: readonly ChaincodeArgument[],
  log: (line: string) => void,
): Promise<RunningChaincodes> {
  const processes: ChildProcess[] = [];
  const addresses = await Promise.all(
    chaincodes.map(async (chaincode) => {
      if ('address' in chaincode) return chaincode;
      const address = `127.0.0.1:${await freePort()}`;
      const packageId = `${chaincode.name}:devnet`;
      processes.push(startServer(chaincode.name, chaincode.folder, address, packageId, log));
      return { name: chaincode.name, address, packageId };
    }),
  );
  return {
    addresses,
    stop: async () => {
      await Promise.all(processes.map(stopProcess));
    },
  };
}

function startServer(
  name: string,
  folder: string,
  address: string,
  packageId: string,
  log: (line: string) => void,
): ChildProcess {
  const child = spawn(
    process.execPath,
    [findShim(folder), 'server', '--chaincode-address', address, '--chaincode-id', packageId],
    { cwd: folder, stdio: ['ignore', 2, 2] },
  );
  child.on('exit', (code, signal) => log(`chaincode ${name} ended (${signal ?? code ?? 'unknown'})`));
  return child;
}

function findShim(folder: string): string {
  try {
    return createRequire(join(folder, 'package.json')).resolve('fabric-shim/cli.js');
  } catch (cause) {
    throw new DevnetError('OPTIONS_INVALID', `${folder} is not a folder of Node chaincode with fabric-shim installed`, {
      cause,
    });
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exited;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new DevnetError('ADDRESS_IN_USE', 'no free port');
  return address.port;
}
