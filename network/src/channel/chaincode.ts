import { join } from 'node:path';
import type { Layout, PortPlan } from '../layout.ts';
import { type RunningProcess, startProcess } from '../processes.ts';
import type { Topology, TopologyOrganisation } from '../topology.ts';

/** Starts Waymark's chaincode as the service of one organisation, under the id that its peers expect. */
export function startChaincode(
  topology: Topology,
  organisation: TopologyOrganisation,
  layout: Layout,
  ports: PortPlan,
  folder: string,
  packageId: string,
): Promise<RunningProcess> {
  return startProcess(
    {
      name: `chaincode-${organisation.domain}`,
      script: join(folder, 'start.js'),
      args: [],
      cwd: folder,
      env: {
        CHAINCODE_SERVER_ADDRESS: chaincodeAddress(ports, organisation.mspId),
        CHAINCODE_ID: packageId,
        CORE_CHAINCODE_LOGGING_LEVEL: 'warning',
      },
      announcesReady: false,
    },
    layout.run,
  );
}

/** `host:port` of an organisation's chaincode server. */
export function chaincodeAddress(ports: PortPlan, mspId: string): string {
  return `127.0.0.1:${ports.chaincodes[mspId] ?? 0}`;
}
