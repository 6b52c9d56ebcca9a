import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { untilListening } from '@waymark/network';

const CONTRACT = join(import.meta.dirname, 'contract', 'program.cjs');

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
    await untilListening(port, () => {
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`the contract ended with ${end}`);
    });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
