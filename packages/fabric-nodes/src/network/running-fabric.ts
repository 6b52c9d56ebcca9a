import { DevnetError, publishRevocationList, type ConfigChange } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import { certificatesOf, type NetworkCertificate } from '../certificates/certificates.ts';
import {
  changeConfig,
  describeConfig,
  newestConfigBlock,
  type ChannelDescription,
  type ChannelOrderers,
} from '../channel/configuration.ts';
import { heightOf } from '../channel/connected-peer.ts';
import { untilPeersHave } from '../channel/peers-have.ts';
import { deployChaincode, type LifecycleOrganisation } from '../chaincode/lifecycle.ts';
import { renewTls, type Member, type Membership } from '../membership/membership.ts';
import type { Memberships } from '../membership/memberships.ts';
import { createFleet, type Fleet } from '../nodes/fleet.ts';
import { zip } from '../nodes/planned-nodes.ts';
import type { NodeRunner } from '../nodes/runner.ts';
import type { ChaincodePlan, FabricNetworkPlan, NewOrganisationPlan, OnInstalled } from '../options.ts';
import { toleratedFaults } from '../ordering/tolerated-faults.ts';
import { addOrganisation } from './add-organisation.ts';
import type { FabricNetwork, FabricOrdering, FabricOrganisation, OrdererState } from './network.ts';
import { runningOrderers, type RunningOrderer } from './running-orderer.ts';
import { runningOrganisation, type RunningOrganisation } from './running-organisation.ts';

const LOGGING_SPEC = 'warning';

/** The one implementation of a network: what it is made of does the work, this keeps hold of it. */
export class RunningFabric implements FabricNetwork {
  readonly channel: string;
  readonly fabricVersion: string;
  readonly ordering: FabricOrdering;
  readonly #plan: FabricNetworkPlan;
  readonly #genesis: Uint8Array;
  readonly #memberships: Memberships;
  readonly #orderers: readonly RunningOrderer[];
  readonly #organisations: RunningOrganisation[];
  readonly #fleet: Fleet;

  constructor(plan: FabricNetworkPlan, runner: NodeRunner, memberships: Memberships, genesis: Uint8Array) {
    this.channel = plan.channel;
    this.fabricVersion = runner.fabricVersion;
    this.#plan = plan;
    this.#genesis = genesis;
    this.#memberships = memberships;
    this.#fleet = createFleet(runner, plan.dataDir, plan.loggingSpec ?? LOGGING_SPEC);
    this.#orderers = runningOrderers(plan, memberships);
    this.#organisations = zip(memberships.organisations, plan.organisations).map(([membership, organisation]) =>
      runningOrganisation(plan, membership, organisation),
    );
    const { type } = plan.ordering;
    const count = this.#orderers.length;
    this.ordering = { type, orderers: count, toleratedFaults: toleratedFaults(type, count) };
  }

  get organisations(): readonly FabricOrganisation[] {
    return this.#organisations.map(({ description }) => description);
  }

  get orderers() {
    return this.#orderers.map(({ address }) => address);
  }

  get nodes() {
    return this.#fleet.processes;
  }

  /**
   * Starts all nodes and joins those to the channel that have not joined.
   *
   * @throws WaymarkError `configuration-invalid` when an organisation of the plan is not on the channel
   */
  async start(): Promise<void> {
    await this.#fleet.start([
      ...this.#orderers.map(({ node }) => node),
      ...this.#organisations.flatMap(({ nodes }) => nodes),
    ]);
    await Promise.all(this.#orderers.map(({ participation }) => participation.join(this.channel, this.#genesis)));
    await this.#refuseStrangers();
    await Promise.all(this.#organisations.map((organisation) => organisation.join(this.channel, this.#genesis)));
  }

  deploy(chaincode: ChaincodePlan, onInstalled?: OnInstalled): Promise<Readonly<Record<string, string>>> {
    return this.#withGateways((organisations) => deployChaincode(this.channel, organisations, chaincode, onInstalled));
  }

  async heights(): Promise<Readonly<Record<string, bigint>>> {
    const peers = this.#organisations.flatMap((organisation) => organisation.peers);
    return Object.fromEntries(
      await Promise.all(peers.map(async (peer) => [peer.node.hostName, await heightOf(peer, this.channel)] as const)),
    );
  }

  ordererStates(): Promise<readonly OrdererState[]> {
    return Promise.all(this.#orderers.map((orderer) => orderer.state()));
  }

  async leader(): Promise<string | undefined> {
    return (await this.ordererStates()).find(({ isLeader }) => isLeader)?.hostName;
  }

  async channelConfig(): Promise<ChannelDescription> {
    return describeConfig(await newestConfigBlock(this.#channelOrderers()));
  }

  async updateConfig(change: ConfigChange, signers: readonly Member[]): Promise<ChannelDescription> {
    const description = await changeConfig(this.#channelOrderers(), change, signers);
    const peers = this.#organisations
      .flatMap((organisation) => organisation.peers)
      .filter(({ node }) => this.#fleet.isRunning(node.hostName));
    await untilPeersHave(peers, this.channel, description.blockNumber);
    return description;
  }

  addOrganisation(plan: NewOrganisationPlan, onInstalled?: OnInstalled): Promise<Readonly<Record<string, string>>> {
    return addOrganisation(
      {
        plan: this.#plan,
        genesis: this.#genesis,
        organisations: this.#organisations,
        startNodes: (nodes) => this.#fleet.start(nodes),
        updateConfig: (change, signers) => this.updateConfig(change, signers),
      },
      plan,
      onInstalled,
    );
  }

  async publishCrl(mspId: string, crlPem: string): Promise<ChannelDescription> {
    const { admin } = this.#membershipOf(mspId);
    try {
      return await this.updateConfig(publishRevocationList(mspId, crlPem), [admin]);
    } catch (error) {
      if (!(error instanceof DevnetError)) throw error;
      throw new WaymarkError('input-invalid', error.message, { cause: error, details: { mspId } });
    }
  }

  certificates(): readonly NetworkCertificate[] {
    return this.#allMemberships().flatMap(certificatesOf);
  }

  async renewTls(hostName: string): Promise<void> {
    for (const { ca, peers, orderers } of this.#allMemberships()) {
      const node = [...peers, ...orderers].find((candidate) => candidate.hostName === hostName);
      if (node !== undefined) return renewTls(ca, node);
    }
    throw new WaymarkError('input-invalid', `there is no node ${hostName}`);
  }

  restart(hostName: string): Promise<void> {
    return this.#fleet.restart(hostName);
  }

  async stop(): Promise<void> {
    for (const organisation of this.#organisations) organisation.close();
    for (const { client } of this.#orderers) client.close();
    await this.#fleet.stop();
  }

  async #refuseStrangers(): Promise<void> {
    const { organisations } = await this.channelConfig();
    const members = new Set(organisations.map(({ mspId }) => mspId));
    const stranger = this.organisations.find(({ mspId }) => !members.has(mspId));
    if (stranger !== undefined) {
      throw new WaymarkError(
        'configuration-invalid',
        `${stranger.mspId} is not on the channel ${this.channel}: it has to be added while the network runs`,
        { details: { mspId: stranger.mspId } },
      );
    }
  }

  #channelOrderers(): ChannelOrderers {
    const [reader] = this.#organisations;
    if (reader === undefined) throw new WaymarkError('configuration-invalid', 'the network has no organisations');
    return {
      channel: this.channel,
      clients: this.#orderers.map(({ client }) => client),
      reader: reader.description.admin,
    };
  }

  #allMemberships(): Membership[] {
    const members = this.#organisations.map(({ description }) => description.membership);
    return [...new Set([...members, ...this.#memberships.ordering])];
  }

  #membershipOf(mspId: string): Membership {
    const found = this.#allMemberships().find((membership) => membership.mspId === mspId);
    if (found === undefined) throw new WaymarkError('input-invalid', `there is no organisation ${mspId}`);
    return found;
  }

  #withGateways<T>(work: (organisations: readonly LifecycleOrganisation[]) => Promise<T>): Promise<T> {
    const open = (left: readonly RunningOrganisation[], opened: readonly LifecycleOrganisation[]): Promise<T> => {
      const [next, ...others] = left;
      return next === undefined
        ? work(opened)
        : next.withGateway((organisation) => open(others, [...opened, organisation]));
    };
    return open(this.#organisations, []);
  }
}
