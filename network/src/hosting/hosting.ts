import type { ServiceNode } from '../layout.ts';
import type { RunningProcess } from '../processes.ts';
import type { TopologyOrganisation } from '../topology.ts';

/** A service to start. */
export type ServicePlan = ServiceNode;

/** The chaincode server of one organisation. */
export interface ChaincodeServerPlan {
  readonly organisation: TopologyOrganisation;
  /** Name of the process; a new version runs beside the old one until the channel has taken it. */
  readonly name: string;
  readonly port: number;
  /** What the organisation's peers expect it to register as. */
  readonly packageId: string;
}

/** Where Waymark's own programs run, and how nodes find each other there. */
export interface Hosting {
  /** Whether nodes find each other by host name; else everything is on localhost. */
  readonly advertise: 'localhost' | 'host-name';
  /** What services listen on. */
  readonly listenHost: string;
  /** `host:port` at which other nodes reach a node. */
  address(hostName: string, port: number): string;
  startService(plan: ServicePlan): Promise<RunningProcess>;
  /** Resolves when it takes connections: a peer that finds nobody there fails the transaction. */
  startChaincode(plan: ChaincodeServerPlan): Promise<RunningProcess>;
}
