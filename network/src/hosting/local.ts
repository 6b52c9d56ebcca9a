import { join } from 'node:path';
import { type Layout, programOf, serviceName } from '../layout.ts';
import { untilListening } from '../ports.ts';
import { startProcess } from '../processes.ts';
import type { Hosting } from './hosting.ts';

const repository = join(import.meta.dirname, '..', '..', '..');

/**
 * Processes of this machine, on loopback.
 *
 * @param chaincodeFolder where the built chaincode lies
 */
export function localHosting(layout: Layout, chaincodeFolder: string): Hosting {
  return {
    advertise: 'localhost',
    listenHost: '127.0.0.1',
    address: (_hostName, port) => `127.0.0.1:${port}`,
    startService: ({ organisation, node, kind }) =>
      startProcess(
        {
          name: serviceName(organisation, node),
          script: join(repository, 'services', programOf(kind), 'src', 'main.ts'),
          args: ['--config', layout.node(organisation, node).configuration],
          announcesReady: true,
        },
        layout.run,
      ),
    startChaincode: async ({ name, port, packageId }) => {
      const process = await startProcess(
        {
          name,
          script: join(chaincodeFolder, 'start.js'),
          args: [],
          cwd: chaincodeFolder,
          env: {
            CHAINCODE_SERVER_ADDRESS: `127.0.0.1:${port}`,
            CHAINCODE_ID: packageId,
            CORE_CHAINCODE_LOGGING_LEVEL: 'warning',
          },
          announcesReady: false,
        },
        layout.run,
      );
      await untilListening(port).catch(async (error: unknown) => {
        await process.stop();
        throw error;
      });
      return process;
    },
  };
}
