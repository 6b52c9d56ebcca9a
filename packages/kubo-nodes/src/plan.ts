/** Another member of the private swarm, as it is dialled. */
export interface SwarmPeer {
  readonly peerId: string;
  /** Multiaddress without the peer id, such as /dns4/ipfs.northline.example/tcp/4001. */
  readonly address: string;
}

/** One kubo daemon of one organisation. */
export interface KuboNodePlan {
  /** Name of the node in the network, such as `ipfs.northline.example`; its log and pid file carry it. */
  readonly hostName: string;
  /** Made when it does not exist. `node/` in it is what the daemon reads, `data/` its repository, `run/` pid file and log. */
  readonly folder: string;
  /** Where other daemons connect to (TCP). */
  readonly swarmPort: number;
  /** Where the RPC API listens. */
  readonly apiPort: number;
  /** kubo's own HTTP gateway, reading local blocks only; default: none. */
  readonly gatewayPort?: number | undefined;
  /** IP address on which all of them listen; default 127.0.0.1. A container listens on 0.0.0.0 of an internal network. */
  readonly listenHost?: string | undefined;
  /** Under which host name or IP address other members reach the swarm port; default 127.0.0.1. */
  readonly advertiseHost?: string | undefined;
  /** The pre-shared key of the network's swarm; see `ensureSwarmKey`. It is copied into the node's folder. */
  readonly swarmKeyFile: string;
  /** Members this one keeps connections with; when not given, those of the last time stay. */
  readonly peers?: readonly SwarmPeer[] | undefined;
  /** Size at which kubo calls its repository full; nothing is collected by itself. Default 100 GB. */
  readonly storageMaxBytes?: number | undefined;
  /** A node by itself, which asks nobody for what it lacks and listens to no swarm; default: false. */
  readonly offline?: boolean | undefined;
  /** Folder of the `ipfs` program; default: PATH. */
  readonly programsDir?: string | undefined;
}
