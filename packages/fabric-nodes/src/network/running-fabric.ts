import { heightOf } from '../channel/connected-peer.ts';
import { deployChaincode, type LifecycleOrganisation } from '../chaincode/lifecycle.ts';
import type { Memberships } from '../membership/memberships.ts';
import { createFleet, type Fleet } from '../nodes/fleet.ts';
import { zip } from '../nodes/planned-nodes.ts';
import type { NodeRunner } from '../nodes/runner.ts';
import type { ChaincodePlan, FabricNetworkPlan } from '../options.ts';
import { toleratedFaults } from '../ordering/tolerated-faults.ts';
import type { FabricNetwork, FabricOrdering, FabricOrganisation, OrdererState } from './network.ts';
import { runningOrderers, type RunningOrderer } from './running-orderer.ts';
import { runningOrganisation, type RunningOrganisation } from './running-organisation.ts';

const LOGGING_SPEC = 'warning';

export class RunningFabric implements FabricNetwork {
  readonly channel: string;
  readonly fabricVersion: string;
  readonly ordering: FabricOrdering;
  readonly #orderers: readonly RunningOrderer[];
  readonly #organisations: RunningOrganisation[];
  readonly #fleet: Fleet;

  constructor(plan: FabricNetworkPlan, runner: NodeRunner, memberships: Memberships) {
    this.channel = plan.channel;
    this.fabricVersion = runner.fabricVersion;
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

  /** Starts all nodes and joins those to the channel that have not joined. */
  async start(genesis: Uint8Array): Promise<void> {
    await this.#fleet.start([
      ...this.#orderers.map(({ node }) => node),
      ...this.#organisations.flatMap(({ nodes }) => nodes),
    ]);
    await Promise.all(this.#orderers.map(({ participation }) => participation.join(this.channel, genesis)));
    await Promise.all(this.#organisations.map((organisation) => organisation.join(this.channel, genesis)));
  }

  deploy(chaincode: ChaincodePlan): Promise<Readonly<Record<string, string>>> {
    return this.#withGateways((organisations) => deployChaincode(this.channel, organisations, chaincode));
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

  restart(hostName: string): Promise<void> {
    return this.#fleet.restart(hostName);
  }

  async stop(): Promise<void> {
    for (const organisation of this.#organisations) organisation.close();
    await this.#fleet.stop();
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
