import type { GatewayChannel } from '../gateway/gateway-context.ts';
import type { SigningIdentity } from '../msp/msp.ts';
import type { SignedData } from '../policy/policy.ts';

/** A peer as gossip makes it known to others. */
export interface DiscoverablePeer {
  readonly mspId: string;
  /** `host:port`. */
  readonly address: string;
  readonly identity: SigningIdentity;
  height(): bigint;
  /** Names of the chaincodes that the peer has. */
  readonly chaincodes: readonly string[];
}

/** What the discovery service of a peer knows. */
export interface DiscoveryContext {
  readonly channelId: string;
  /** For layouts; planned as the gateway plans. */
  readonly channel: GatewayChannel;
  /** All peers that are up, this one among them. */
  readonly peers: () => readonly DiscoverablePeer[];
  /** Throws when the signer may not ask about the channel (Writers). */
  readonly checkChannelAccess: (signed: SignedData) => void;
  /** Throws when the signer is no admin of the peer's own organisation. */
  readonly checkLocalAccess: (signed: SignedData) => void;
}
