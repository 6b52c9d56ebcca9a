import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePorts, type RunningProcess, startProcess } from '@waymark/network';

const folder = join(import.meta.dirname, '..', '..', 'examples', 'asset-contract');

/** The example contract as a running service. */
export interface RunningContract {
  readonly process: RunningProcess;
  /** `host:port` */
  readonly address: string;
}

/**
 * Starts `examples/asset-contract`: its function `raw` stores bytes under a key and does nothing else, the cheapest transaction there is.
 *
 * @param runDir where its log goes
 * @param name of the process; one contract runs for each organisation
 */
export async function startAssetContract(
  runDir: string,
  name: string,
  options: { readonly port?: number; readonly packageId?: string } = {},
): Promise<RunningContract> {
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const address = `127.0.0.1:${port}`;
  const process = await startProcess(
    {
      name,
      script: createRequire(join(folder, 'package.json')).resolve('fabric-shim/cli.js'),
      args: ['server', '--chaincode-address', address, '--chaincode-id', options.packageId ?? 'assets_1'],
      env: { CORE_CHAINCODE_LOGGING_LEVEL: 'warning' },
      cwd: folder,
      announcesReady: false,
    },
    runDir,
  );
  return { process, address };
}
