import type { Hosting } from '../hosting/hosting.ts';
import type { PortPlan } from '../layout.ts';
import { chaincodeKey } from '../port-plan.ts';
import type { RunningProcess } from '../processes.ts';
import type { Topology, TopologyOrganisation } from '../topology.ts';

/** Name of an organisation's server for one definition of the chaincode. */
export function chaincodeProcessName(sequence: number, { domain }: TopologyOrganisation): string {
  return `chaincode-${domain}${sequence === 1 ? '' : `-${sequence}`}`;
}

/** Starts Waymark's chaincode as the service of one organisation and waits until it listens. */
export function startListeningChaincode(
  hosting: Hosting,
  { chaincode }: Topology,
  organisation: TopologyOrganisation,
  ports: PortPlan,
  packageId: string,
): Promise<RunningProcess> {
  const port = portOf(ports, chaincode.sequence, organisation.mspId);
  const name = chaincodeProcessName(chaincode.sequence, organisation);
  return hosting.startChaincode({ organisation, name, port, packageId });
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
