import type { ConfigChange } from '@waymark/devnet/fabric';
import type { NetworkCertificate } from '../certificates/certificates.ts';
import type { ChannelDescription } from '../channel/configuration.ts';
import type { NodeAddress } from '../channel/connected-peer.ts';
import type { Member, Membership } from '../membership/membership.ts';
import type { NodeProcess } from '../nodes/runner.ts';
import type { ChaincodePlan, NewOrganisationPlan, OnInstalled, OrderingType } from '../options.ts';

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
   * an upgrade: the old version serves until the new one is committed.
   *
   * @param onInstalled gets package ids by MSP id
   * @returns package id by MSP id; the organisation's server has to register as that
   * @throws WaymarkError `conflict` when the channel has another definition of that sequence or a later one, `chaincode-error` when Fabric
   *   refuses, `unavailable` when nodes are away for a minute
   */
  deploy(chaincode: ChaincodePlan, onInstalled?: OnInstalled): Promise<Readonly<Record<string, string>>>;
  /** Height of each peer's ledger by host name. */
  heights(): Promise<Readonly<Record<string, bigint>>>;
  /** Host name of the orderer that leads; undefined while there is none. */
  leader(): Promise<string | undefined>;
  ordererStates(): Promise<readonly OrdererState[]>;
  /**
   * The channel's configuration in force.
   *
   * @throws WaymarkError `unavailable` when no orderer answers
   */
  channelConfig(): Promise<ChannelDescription>;
  /**
   * Changes the channel's configuration and waits until every running peer has it. What is in force already is done.
   *
   * @param change edits a copy of the configuration; applied to its own result it must change nothing
   * @param signers admins of the organisations whom the policies of the changed parts ask for; the first one sends it
   * @throws WaymarkError `refused` when they do not suffice, `configuration-invalid`, or `unavailable`
   */
  updateConfig(change: ConfigChange, signers: readonly Member[]): Promise<ChannelDescription>;
  /**
   * Lets another organisation take part: configuration, peers, chaincode. Can be repeated after a failure half-way; a network that is
   * started again has the organisation.
   *
   * @param onInstalled gets package ids by name of the chaincode
   * @returns package id by name of the chaincode
   */
  addOrganisation(plan: NewOrganisationPlan, onInstalled?: OnInstalled): Promise<Readonly<Record<string, string>>>;
  /**
   * Puts a revocation list (PEM) into an organisation's MSP on the channel, signed by the organisation's admin alone: its own `Admins`
   * policy rules its MSP. Peers and orderers refuse what it names from the configuration block on.
   */
  publishCrl(mspId: string, crlPem: string): Promise<ChannelDescription>;
  /** Every certificate of the network's organisations. */
  certificates(): readonly NetworkCertificate[];
  /** Issues a node's TLS certificate again, with the same key; the node has it from its next start on. */
  renewTls(hostName: string): Promise<void>;
  /** Starts a node again that has ended. */
  restart(hostName: string): Promise<void>;
  /** Ends all nodes. */
  stop(): Promise<void>;
}
