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

/** Starts one for each organisation. When one fails, those that run are in the list all the same, for their owner to stop. */
export async function startAll(
  list: RunningProcess[],
  organisations: readonly TopologyOrganisation[],
  startOne: (index: number) => Promise<RunningProcess>,
): Promise<void> {
  const settled = await Promise.allSettled(organisations.map((_, index) => startOne(index)));
  list.push(...settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
  const failure = settled.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** `host:port` of an organisation's chaincode server. */
export function chaincodeAddress(ports: PortPlan, mspId: string): string {
  return `127.0.0.1:${ports.chaincodes[mspId] ?? 0}`;
}
