import type { NodeAddress } from '../channel/connected-peer.ts';
import type { Member, Membership } from '../membership/membership.ts';
import type { NodeProcess } from '../nodes/runner.ts';
import type { ChaincodePlan, OrderingType } from '../options.ts';

/** One organisation of a running network. */
export interface FabricOrganisation {
  readonly mspId: string;
  readonly domain: string;
  readonly mspDir: string;
  readonly peers: readonly NodeAddress[];
  /** The leader peer, whose gateway clients use. */
  readonly gateway: NodeAddress;
  readonly admin: Member;
  readonly user: Member;
  readonly membership: Membership;
}

/** An orderer, and what it says of the channel at the moment. */
export interface OrdererState {
  readonly hostName: string;
  readonly mspId: string;
  /** False when it does not answer; then the rest is unknown. */
  readonly isServing: boolean;
  readonly isLeader: boolean;
  readonly height?: bigint;
}

/** How the channel is ordered. */
export interface FabricOrdering {
  readonly type: OrderingType;
  readonly orderers: number;
  readonly toleratedFaults: number;
}

/** Orderers and peers of real Fabric, running on this machine. */
export interface FabricNetwork {
  readonly channel: string;
  readonly fabricVersion: string;
  readonly ordering: FabricOrdering;
  readonly organisations: readonly FabricOrganisation[];
  readonly orderers: readonly NodeAddress[];
  /** Started nodes by host name. */
  readonly nodes: ReadonlyMap<string, NodeProcess>;
  /**
   * Installs, approves and commits a definition; what was done before is left as it is. A higher sequence than the committed one is
   * an upgrade: the old version serves until the new one is committed. Gives the package id by MSP id.
   */
  deploy(chaincode: ChaincodePlan): Promise<Readonly<Record<string, string>>>;
  /** Height of each peer's ledger by host name. */
  heights(): Promise<Readonly<Record<string, bigint>>>;
  /** Host name of the orderer that leads; undefined while there is none. */
  leader(): Promise<string | undefined>;
  ordererStates(): Promise<readonly OrdererState[]>;
  /** Starts a node again that has ended. */
  restart(hostName: string): Promise<void>;
  /** Ends all nodes. */
  stop(): Promise<void>;
}
