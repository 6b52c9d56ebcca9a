import type { LedgerIdentity } from '@waymark/fabric';
import type { LedgerLimits } from '@waymark/fabric/client';

/** Where a node is. */
export interface NodeOptions {
  /** `host:port`. */
  readonly endpoint: string;
  /** The TLS CA that certified the node. */
  readonly tlsRootPem: string;
  /** Name to expect in the node's certificate, when it is not the host of `endpoint`. */
  readonly tlsServerName?: string;
}

export interface PeerOptions extends NodeOptions {
  /** Its organisation. */
  readonly mspId: string;
}

/** How to take what discovery says. */
export interface DiscoveryOptions {
  /** Whether the nodes' host names mean this machine (ports published by containers). */
  readonly asLocalhost: boolean;
}

/** Which nodes to use, and as whom. */
export interface FabricNetworkOptions extends LedgerLimits {
  /**
   * At least one peer of the identity's own organisation: it answers evaluations and says what was committed; when it is
   * away, the next one does. Without discovery, the peers of other organisations that endorse as well.
   */
  readonly peers: readonly PeerOptions[];
  /** Needed without discovery. */
  readonly orderers?: readonly NodeOptions[];
  /** Ask a peer for the other peers, the orderers and who must endorse. Without it only the nodes named here are used. */
  readonly discovery?: DiscoveryOptions;
  readonly identity: LedgerIdentity;
  readonly channel: string;
  readonly chaincode: string;
}
