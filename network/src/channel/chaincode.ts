import type { Hosting } from '../hosting/hosting.ts';
import type { PortPlan } from '../layout.ts';
import { chaincodeKey } from '../port-plan.ts';
import { untilListening } from '../ports.ts';
import type { RunningProcess } from '../processes.ts';
import type { Topology, TopologyOrganisation } from '../topology.ts';

/** Starts Waymark's chaincode as the service of one organisation, under the id that its peers expect. */
export function startChaincode(
  hosting: Hosting,
  { chaincode }: Topology,
  organisation: TopologyOrganisation,
  ports: PortPlan,
  packageId: string,
): Promise<RunningProcess> {
  const version = chaincode.sequence === 1 ? '' : `-${chaincode.sequence}`;
  return hosting.startChaincode({
    organisation,
    name: `chaincode-${organisation.domain}${version}`,
    port: portOf(ports, chaincode.sequence, organisation.mspId),
    packageId,
  });
}

/** As `startChaincode`, and waits until it listens: a peer that finds nobody there fails the transaction. */
export async function startListeningChaincode(
  hosting: Hosting,
  topology: Topology,
  organisation: TopologyOrganisation,
  ports: PortPlan,
  packageId: string,
): Promise<RunningProcess> {
  const process = await startChaincode(hosting, topology, organisation, ports, packageId);
  // Elsewhere its port is not this machine's, and the hosting has waited.
  if (hosting.advertise === 'host-name') return process;
  await untilListening(portOf(ports, topology.chaincode.sequence, organisation.mspId)).catch(async (error: unknown) => {
    await process.stop();
    throw error;
  });
  return process;
}

/** Starts one for each organisation. When one fails, those that run are in the list all the same, for their owner to stop. */
export async function startAll(
  list: RunningProcess[],
  organisations: readonly TopologyOrganisation[],
  startOne: (organisation: TopologyOrganisation) => Promise<RunningProcess>,
): Promise<void> {
  const settled = await Promise.allSettled(organisations.map(startOne));
  list.push(...settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
  const failure = settled.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** `host:port` of each organisation's chaincode server, as its peers dial it. */
export function chaincodeAddresses(hosting: Hosting, topology: Topology, ports: PortPlan): Record<string, string> {
  const { chaincode, organisations } = topology;
  return Object.fromEntries(
    organisations.map(({ mspId, domain }) => [
      mspId,
      hosting.address(`chaincode.${domain}`, portOf(ports, chaincode.sequence, mspId)),
    ]),
  );
}

function portOf(ports: PortPlan, sequence: number, mspId: string): number {
  return ports.chaincodes[chaincodeKey(sequence, mspId)] ?? 0;
}
