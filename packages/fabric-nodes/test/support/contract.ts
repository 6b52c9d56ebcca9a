import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { untilListening } from '@waymark/network';

/** A contract server of one organisation. */
export interface ContractServer {
  stop(): Promise<void>;
}

/** @param packageId what it registers as */
export async function startContract(port: number, packageId: string, version: string): Promise<ContractServer> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'contract.cjs')], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      CHAINCODE_SERVER_ADDRESS: `127.0.0.1:${port}`,
      CHAINCODE_ID: packageId,
      VERSION: version,
      CORE_CHAINCODE_LOGGING_LEVEL: 'fatal',
    },
  });
  await untilListening(port);
  return {
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
