import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ensureChaincodeBuilt } from '../../../../scripts/build-chaincode.ts';

/** The real chaincode in a process of its own. */
export interface ChaincodeProcess {
  /** `host:port`. */
  readonly address: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** Builds the chaincode when needed and starts it as a service. It is up some time later: peers redial. */
export async function startChaincode(): Promise<ChaincodeProcess> {
  const folder = await ensureChaincodeBuilt();
  const address = `127.0.0.1:${String(await freePort())}`;
  const child = spawn(process.execPath, ['start.js'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      CHAINCODE_SERVER_ADDRESS: address,
      CHAINCODE_ID: 'waymark_test:00ff',
      CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR',
    },
  });
  return {
    address,
    process: child,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A TCP port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
