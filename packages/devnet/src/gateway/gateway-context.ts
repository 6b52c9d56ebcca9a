import type { common, peer } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';
import type { ProposalOptions } from '../endorser/endorser.ts';
import type { PeerLedger } from '../ledger/ledger.ts';
import type { DefinitionReader } from '../lifecycle/definition-reader.ts';
import type { Identity } from '../msp/msp.ts';

/** A peer that the gateway can ask for endorsements: its own, or one of any organisation. */
export interface GatewayEndorser {
  /** `host:port`, as clients see it in error details. */
  readonly address: string;
  readonly mspId: string;
  /** The peer that the gateway runs in. */
  readonly isLocal: boolean;
  readonly identity: Identity;
  height(): bigint;
  hasChaincode(name: string): boolean;
  processProposal(signedProposal: peer.SignedProposal, options?: ProposalOptions): Promise<EndorserAnswer>;
}

/** A response, or why there is none: then `reachedEndorser` tells whether the endorser itself refused it. */
export type EndorserAnswer =
  { readonly response: peer.ProposalResponse } | { readonly error: string; readonly reachedEndorser: boolean };

export interface BroadcastResult {
  readonly status: common.StatusMap[keyof common.StatusMap];
  readonly info: string;
}

export interface GatewayOrderer {
  readonly address: string;
  readonly mspId: string;
  /** Rejects when the orderer cannot be reached. */
  broadcast(envelope: common.Envelope): Promise<BroadcastResult>;
}

/** One channel as the gateway sees it. */
export interface GatewayChannel {
  readonly config: () => ChannelConfig;
  /** The ledger of the gateway's own peer. */
  readonly ledger: PeerLedger;
  readonly readDefinition: DefinitionReader;
  /** All peers of the channel, the gateway's own among them. */
  readonly endorsers: () => readonly GatewayEndorser[];
  readonly orderers: () => readonly GatewayOrderer[];
}

export interface GatewayContext {
  readonly mspId: string;
  readonly channel: (channelId: string) => GatewayChannel | undefined;
}
