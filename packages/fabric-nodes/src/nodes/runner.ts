/** A node whose folder is ready: what it takes to start it. All paths are of this machine. */
export interface NodeLaunch {
  readonly kind: 'peer' | 'orderer';
  /** Unique in the network, for example `peer0.org1.example.com`; in every one of the node's certificates. */
  readonly hostName: string;
  readonly mspId: string;
  /**
   * The node's configuration (`core.yaml` or `orderer.yaml`), `msp` and `tls`, naming each other relatively. The node needs it as
   * its working directory and as FABRIC_CFG_PATH, and does not write to it.
   */
  readonly nodeDir: string;
  /** A folder for the node's data that exists; a runner with storage of its own does not need it. */
  readonly dataDir: string;
  /** What the node listens on; clients and other nodes use the same numbers. */
  readonly ports: NodePortNumbers;
  /** FABRIC_LOGGING_SPEC. */
  readonly loggingSpec: string;
}

export interface NodePortNumbers {
  readonly port: number;
  readonly operationsPort: number;
  /** Peers only. */
  readonly chaincodePort?: number;
  /** Orderers only. */
  readonly adminPort?: number;
}

/** Absolute paths as the node itself sees them: they go into its configuration. */
export interface NodePaths {
  readonly dataDir: string;
  /** Folder of the external builder for packages of type `ccaas`. */
  readonly builderDir: string;
}

/** How a node ended. */
export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started orderer or peer. */
export interface NodeProcess {
  /** Host name. */
  readonly name: string;
  readonly pid: number;
  /** Resolves when the node is gone, asked or not. */
  readonly exited: Promise<NodeExit>;
  /** SIGTERM, and SIGKILL for one that does not end in time. */
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The end of what it has logged, and where the rest is: for a report that it did not start. */
  lastWords(): Promise<string>;
}

/** Runs nodes: as child processes, as containers. Files, channel and chaincode do not depend on how. */
export interface NodeRunner {
  /** Version of the nodes, for example `3.1.5`: what their configuration may say depends on it. */
  readonly fabricVersion: string;
  paths(node: Pick<NodeLaunch, 'kind' | 'hostName' | 'dataDir'>): NodePaths;
  /** Resolves once the node is started; whether it serves is asked over its ports. */
  start(node: NodeLaunch): Promise<NodeProcess>;
}
