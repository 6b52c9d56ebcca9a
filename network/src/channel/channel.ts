import type { Hosting } from '../hosting/hosting.ts';
import type { Runtime } from '../runtime.ts';
import type { Layout, PortPlan } from '../layout.ts';
import type { Topology, TopologyOrganisation } from '../topology.ts';
import type { GatewayPlace } from '../provision-place.ts';
import type { RunningProcess } from '../processes.ts';

/** A contract that is not Waymark's. */
export interface AdditionalChaincode {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** `host:port` by MSP id. */
  readonly address: Readonly<Record<string, string>>;
  /** Starts the contract's servers: each must register as the id of its organisation's package. */
  start(packageIds: Readonly<Record<string, string>>): Promise<void>;
}

/** A peer of the channel. */
export interface ChannelPeer {
  readonly mspId: string;
  readonly name: string;
  readonly hostName: string;
  /** `host:port` */
  readonly address: string;
  readonly tlsRootFile: string;
}

/** Who orders the channel. */
export interface ChannelOrdering {
  /** Devnet orders by itself, without consensus. */
  readonly type: 'raft' | 'bft' | 'devnet';
  readonly orderers: number;
  /** How many of them may fail (Raft) or lie (BFT). */
  readonly toleratedFaults: number;
  /** Host name of the one that leads; undefined while nobody does, and on devnet. */
  readonly leader: string | undefined;
}

/** The channel with its chaincode, whatever it runs on. */
export interface RunningChannel {
  readonly runtime: Runtime;
  /** Undefined on devnet. */
  readonly fabricVersion: string | undefined;
  /** By MSP id: the leader peer, which is the anchor peer (S1). */
  readonly gateways: ReadonlyMap<string, GatewayPlace>;
  readonly peers: readonly ChannelPeer[];
  ordering(): Promise<ChannelOrdering>;
  /** Orderers and peers, or devnet, as they run now. */
  readonly nodes: readonly RunningProcess[];
  /** Waymark's chaincode, a process for each organisation, as they run now. */
  readonly chaincodes: readonly RunningProcess[];
  /** Bytes of one peer's block files: blocks are the same on every peer, so their growth is what a load puts on the chain. */
  blockBytes(): Promise<number>;
  /** Brings the running channel to a plan that has organisations, or the next definition of the chaincode, in addition. Safe to repeat. */
  extend(plan: ChannelPlan): Promise<void>;
  /** Starts a process of the channel again that has ended; false when it is none of the channel's. */
  restart(name: string): Promise<boolean>;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** The leader peer and those of the outlets that run one. */
export function peersOf({ leaderPeer, outlets }: TopologyOrganisation): string[] {
  return [leaderPeer, ...outlets.filter(({ peer }) => peer).map(({ name }) => name)];
}

/** What a channel is made from. */
export interface ChannelPlan {
  readonly topology: Topology;
  readonly layout: Layout;
  readonly ports: PortPlan;
  readonly hosting: Hosting;
  readonly additionalChaincodes: readonly AdditionalChaincode[];
  readonly onProgress: (step: string) => void;
}

/** When a block is cut, as both runtimes take it. */
export function batchOf({ ordering }: Topology) {
  const { batchTimeoutMs, maxMessageCount, preferredMaxBytes, absoluteMaxBytes } = ordering;
  return { timeoutMs: batchTimeoutMs, maxMessageCount, preferredMaxBytes, absoluteMaxBytes };
}
