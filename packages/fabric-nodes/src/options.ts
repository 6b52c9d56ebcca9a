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

export interface OrdererPlan {
  readonly name: string;
  readonly port: number;
  /** Channel participation (mutual TLS). */
  readonly adminPort: number;
  readonly operationsPort: number;
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
  readonly orderers: readonly OrdererPlan[];
  readonly ordererMspId?: string;
  readonly ordererDomain?: string;
  readonly batch: BatchPlan;
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
  /** `host:port` of the server by MSP id; organisations without one do not install it. */
  readonly address: Readonly<Record<string, string>>;
  /** Fabric's policy language. Default: the channel's Endorsement policy, a majority of the organisations. */
  readonly endorsementPolicy?: string;
}
