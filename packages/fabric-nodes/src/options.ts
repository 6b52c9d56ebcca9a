import type { NodeRunner } from './nodes/runner.ts';

/** One peer of an organisation. */
export interface PeerPlan {
  /** First label of the peer's host name, for example `peer0`. */
  readonly name: string;
  readonly port: number;
  /** Where chaincode that the peer starts itself would connect; nothing does, but the peer insists on one. */
  readonly chaincodePort: number;
  /** Health checks and metrics. */
  readonly operationsPort: number;
}

export interface OrganisationPlan {
  readonly mspId: string;
  readonly domain: string;
  /** The first one is the leader: anchor peer, and the gateway that clients are told. */
  readonly peers: readonly PeerPlan[];
}

/** An organisation that joins a running channel. */
export interface NewOrganisationPlan extends OrganisationPlan {
  /** `host:port` of its server by name of the chaincode, as its peers reach it. Chaincodes without one are not installed. */
  readonly chaincodes?: Readonly<Record<string, string>>;
}

export interface OrdererPlan {
  /** First label of the orderer's host name, for example `orderer0`. */
  readonly name: string;
  readonly port: number;
  /** Channel participation (mutual TLS). */
  readonly adminPort: number;
  readonly operationsPort: number;
}

/** An organisation that runs orderers. It may have peers too: then both have its one MSP and domain. */
export interface OrderingOrganisationPlan {
  readonly mspId: string;
  readonly domain: string;
  readonly orderers: readonly OrdererPlan[];
}

/** Raft tolerates orderers that stop; BFT (Fabric 3, four orderers or more) also some that lie. */
export type OrderingType = 'raft' | 'bft';

export interface OrderingPlan {
  readonly type: OrderingType;
  readonly organisations: readonly OrderingOrganisationPlan[];
}

/** When a block is cut. */
export interface BatchPlan {
  readonly timeoutMs: number;
  readonly maxMessageCount: number;
  readonly preferredMaxBytes: number;
  readonly absoluteMaxBytes: number;
}

/** A network of real Fabric nodes on this machine. */
export interface FabricNetworkPlan {
  /** Holds everything: certificates, keys, configuration, ledgers, logs. Made when absent; starting again goes on from it. */
  readonly dataDir: string;
  readonly channel: string;
  readonly organisations: readonly OrganisationPlan[];
  readonly ordering: OrderingPlan;
  readonly batch: BatchPlan;
  /** What nodes call each other: `localhost`, or the host name for nodes with networks of their own. Default `localhost`. */
  readonly advertise?: 'localhost' | 'host-name';
  /** Address that nodes listen on. Default `127.0.0.1`. */
  readonly listenHost?: string;
  /** What starts nodes. Default: processes of this machine, from `programsDir`. */
  readonly runner?: NodeRunner;
  /** Folder of Fabric's programs. Default: PATH. */
  readonly programsDir?: string;
  /** Fabric's own log level specification. Default `warning`. */
  readonly loggingSpec?: string;
}

/** A chaincode that runs as a service of its own. */
export interface ChaincodePlan {
  readonly name: string;
  readonly version: string;
  /** 1 for the first definition, then one more for each change. */
  readonly sequence: number;
  /** `host:port` of the server by MSP id, as that organisation's peers reach it; organisations without one do not install it. */
  readonly address: Readonly<Record<string, string>>;
  /** Fabric's policy language. Default: the channel's Endorsement policy, a majority of the organisations. */
  readonly endorsementPolicy?: string;
}

/**
 * Called when all packages are installed and nothing refers to them yet: where their servers can be started, so that none is missing
 * at the moment of the commit.
 *
 * @param packageIds what the servers have to register as
 */
export type OnInstalled = (packageIds: Readonly<Record<string, string>>) => Promise<void>;
