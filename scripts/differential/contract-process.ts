import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CONTRACT = join(import.meta.dirname, 'contract', 'program.cjs');
const POLL_MS = 50;
const START_TIMEOUT_MS = 30_000;

/** The differential contract as a service of one organisation. */
export interface ContractProcess {
  stop(): Promise<void>;
}

export async function startContract(port: number, packageId: string, organisation: string): Promise<ContractProcess> {
  const child = spawn(process.execPath, [CONTRACT], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      CHAINCODE_SERVER_ADDRESS: `127.0.0.1:${port}`,
      CHAINCODE_ID: packageId,
      ORGANISATION: organisation,
      CORE_CHAINCODE_LOGGING_LEVEL: 'fatal',
    },
  });
  const stop = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await listening(child, port);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the contract ended with ${child.exitCode ?? child.signalCode}`);
    }
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      // Not yet.
    } finally {
      socket.destroy();
    }
    await delay(POLL_MS);
  }
  throw new Error('the contract does not listen');
}
