import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@grpc/grpc-js';
import { buildGenesisBlock, buildMspConfig } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import { stringify } from 'yaml';
import {
  connectTo,
  gatewayOver,
  heightOf,
  joinPeer,
  type ConnectedPeer,
  type NodeAddress,
} from './channel/connected-peer.ts';
import { participationOf } from './channel/participation.ts';
import { deployChaincode } from './chaincode/lifecycle.ts';
import { openMembership, type Member, type Membership, type NodeMember } from './membership/membership.ts';
import { coreConfig } from './nodes/core-config.ts';
import { startNodeProcess, type NodeProcess } from './nodes/node-process.ts';
import { ordererConfig } from './nodes/orderer-config.ts';
import type { ChaincodePlan, FabricNetworkPlan, OrdererPlan, PeerPlan } from './options.ts';
import { findFabricPrograms, type FabricPrograms } from './programs/programs.ts';

const LISTEN_HOST = '127.0.0.1';

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

/** Orderers and peers of real Fabric, running on this machine. */
export interface FabricNetwork {
  readonly channel: string;
  readonly fabricVersion: string;
  readonly organisations: readonly FabricOrganisation[];
  readonly orderers: readonly NodeAddress[];
  /** Running nodes by host name. */
  readonly nodes: ReadonlyMap<string, NodeProcess>;
  /** Installs, approves and commits a definition; what was done before is left as it is. Gives the package id by MSP id. */
  deploy(chaincode: ChaincodePlan): Promise<Readonly<Record<string, string>>>;
  /** Height of each peer's ledger by host name. */
  heights(): Promise<Readonly<Record<string, bigint>>>;
  /** Starts a node again that has ended. */
  restart(hostName: string): Promise<void>;
  /** Ends all nodes. */
  stop(): Promise<void>;
}

/**
 * Starts the nodes and, the first time, makes their certificates and the channel.
 *
 * @throws WaymarkError `program-missing` when Fabric's programs are not there, `unavailable` when a node does not start
 */
export async function startFabricNetwork(plan: FabricNetworkPlan): Promise<FabricNetwork> {
  const programs = await findFabricPrograms(plan.programsDir);
  await mkdir(plan.dataDir, { recursive: true, mode: 0o700 });
  const orderers = await openMembership({
    dir: join(plan.dataDir, 'ordererOrganizations', ordererDomain(plan)),
    mspId: ordererMspId(plan),
    domain: ordererDomain(plan),
    kind: 'orderer',
    nodeNames: plan.orderers.map(({ name }) => name),
  });
  const organisations = await Promise.all(
    plan.organisations.map(({ mspId, domain, peers }) =>
      openMembership({
        dir: join(plan.dataDir, 'peerOrganizations', domain),
        mspId,
        domain,
        kind: 'peer',
        nodeNames: peers.map(({ name }) => name),
      }),
    ),
  );
  const genesis = await genesisOf(plan, orderers, organisations);
  const network = new RunningFabric(plan, programs, orderers, organisations);
  try {
    await network.start(genesis);
    return network;
  } catch (error) {
    await network.stop();
    throw error;
  }
}

function ordererMspId(plan: FabricNetworkPlan): string {
  return plan.ordererMspId ?? 'OrdererMSP';
}

function ordererDomain(plan: FabricNetworkPlan): string {
  return plan.ordererDomain ?? 'orderer.example.com';
}

/** The channel's first block: made once, read ever after. */
async function genesisOf(
  plan: FabricNetworkPlan,
  orderers: Membership,
  organisations: readonly Membership[],
): Promise<Uint8Array> {
  const path = join(plan.dataDir, `${plan.channel}.block`);
  if (existsSync(path)) return readFile(path);
  const definition = ({ mspId, ca }: Membership) => ({
    mspId,
    mspConfig: buildMspConfig({ mspId, rootCertsPem: [ca.rootCertPem], tlsRootCertsPem: [ca.tlsRootCertPem] }),
  });
  const block = buildGenesisBlock({
    channelId: plan.channel,
    applicationOrganisations: organisations.map((organisation, index) => {
      const [leader] = plan.organisations[index]?.peers ?? [];
      if (leader === undefined) throw new WaymarkError('configuration-invalid', `${organisation.mspId} has no peer`);
      return { ...definition(organisation), anchorPeers: [{ host: 'localhost', port: leader.port }] };
    }),
    ordererOrganisations: [
      { ...definition(orderers), endpoints: plan.orderers.map(({ port }) => ({ host: 'localhost', port })) },
    ],
    consenters: orderers.nodes.map(({ tls }, index) => ({
      host: 'localhost',
      port: plan.orderers[index]?.port ?? 0,
      clientTlsCertPem: tls.certificatePem,
      serverTlsCertPem: tls.certificatePem,
    })),
    batchSize: plan.batch,
    batchTimeoutMs: plan.batch.timeoutMs,
    timestampMs: Date.now(),
  }).serializeBinary();
  await writeFile(`${path}.partial`, block);
  await rename(`${path}.partial`, path);
  return block;
}

/** Everything needed to start a node again. */
interface Startable {
  readonly node: NodeMember;
  readonly start: () => Promise<NodeProcess>;
}

class RunningFabric implements FabricNetwork {
  readonly channel: string;
  readonly fabricVersion: string;
  readonly organisations: readonly FabricOrganisation[];
  readonly orderers: readonly NodeAddress[];
  readonly nodes = new Map<string, NodeProcess>();
  readonly #plan: FabricNetworkPlan;
  readonly #programs: FabricPrograms;
  readonly #ordererMembership: Membership;
  readonly #startables: readonly Startable[];
  readonly #clients: Client[] = [];
  readonly #peers = new Map<string, ConnectedPeer[]>();

  constructor(
    plan: FabricNetworkPlan,
    programs: FabricPrograms,
    orderers: Membership,
    organisations: readonly Membership[],
  ) {
    this.#plan = plan;
    this.#programs = programs;
    this.#ordererMembership = orderers;
    this.channel = plan.channel;
    this.fabricVersion = programs.version;
    this.orderers = orderers.nodes.map((node, index) => addressOf(node, plan.orderers[index]?.port ?? 0));
    this.organisations = organisations.map((membership, index) =>
      describe(membership, plan.organisations[index]?.peers ?? []),
    );
    this.#startables = [
      ...zip(orderers.nodes, plan.orderers).map(([node, orderer]) => this.#startableOrderer(node, orderer)),
      ...organisations.flatMap((membership, index) => {
        const peers = plan.organisations[index]?.peers ?? [];
        return zip(membership.nodes, peers).map(([node, peer]) => this.#startablePeer(membership, node, peer, peers));
      }),
    ];
  }

  async start(genesis: Uint8Array): Promise<void> {
    const started = await Promise.allSettled(this.#startables.map((startable) => this.#startNode(startable)));
    // All have either started or failed by now, so that none is left behind when one fails.
    const failed = started.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await Promise.all(
      zip(this.#ordererMembership.nodes, this.#plan.orderers).map(([node, { adminPort }]) =>
        participationOf(node, adminPort).join(this.channel, genesis),
      ),
    );
    await Promise.all(
      this.organisations.map(async ({ mspId, peers, admin }) => {
        const connected = peers.map((node) => ({ node, client: this.#connect(node), admin }));
        this.#peers.set(mspId, connected);
        await Promise.all(connected.map((peer) => joinPeer(peer, this.channel, genesis)));
      }),
    );
  }

  async deploy(chaincode: ChaincodePlan): Promise<Readonly<Record<string, string>>> {
    const organisations = this.organisations.map(({ mspId, admin }) => {
      const peers = this.#peers.get(mspId) ?? [];
      const [leader] = peers;
      if (leader === undefined) throw new WaymarkError('configuration-invalid', `${mspId} has no peer`);
      return { mspId, peers, gateway: gatewayOver(leader.client, admin) };
    });
    try {
      return await deployChaincode(this.channel, organisations, chaincode);
    } finally {
      for (const { gateway } of organisations) gateway.close();
    }
  }

  async heights(): Promise<Readonly<Record<string, bigint>>> {
    const peers = [...this.#peers.values()].flat();
    return Object.fromEntries(
      await Promise.all(peers.map(async (peer) => [peer.node.hostName, await heightOf(peer, this.channel)] as const)),
    );
  }

  async restart(hostName: string): Promise<void> {
    const startable = this.#startables.find(({ node }) => node.hostName === hostName);
    if (startable === undefined) throw new WaymarkError('input-invalid', `there is no node ${hostName}`);
    await this.nodes.get(hostName)?.exited;
    await this.#startNode(startable);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await Promise.all([...this.nodes.values()].map((node) => node.stop()));
  }

  async #startNode({ node, start }: Startable): Promise<void> {
    this.nodes.set(node.hostName, await start());
  }

  #connect(node: NodeAddress): Client {
    const client = connectTo(node);
    this.#clients.push(client);
    return client;
  }

  #startableOrderer(node: NodeMember, orderer: OrdererPlan): Startable {
    const dataDir = this.#dataDir(node);
    const config = ordererConfig({ mspId: ordererMspId(this.#plan), node, orderer, dataDir, listenHost: LISTEN_HOST });
    return {
      node,
      start: () => this.#startProgram(node, { program: this.#programs.orderer, args: [] }, 'orderer', config, orderer),
    };
  }

  #startablePeer({ mspId }: Membership, node: NodeMember, peer: PeerPlan, peers: readonly PeerPlan[]): Startable {
    const dataDir = this.#dataDir(node);
    // The first peer begins with itself, the others with it.
    const bootstrap = `localhost:${peers[0]?.port ?? peer.port}`;
    const config = coreConfig({
      mspId,
      node,
      peer,
      bootstrap,
      dataDir,
      listenHost: LISTEN_HOST,
      fabricVersion: this.#programs.version,
    });
    return {
      node,
      start: () =>
        this.#startProgram(node, { program: this.#programs.peer, args: ['node', 'start'] }, 'core', config, peer),
    };
  }

  async #startProgram(
    node: NodeMember,
    command: { readonly program: string; readonly args: readonly string[] },
    configName: string,
    config: object,
    { port, operationsPort }: { readonly port: number; readonly operationsPort: number },
  ): Promise<NodeProcess> {
    const configDir = join(node.dir, 'config');
    await mkdir(configDir, { recursive: true });
    await mkdir(join(this.#dataDir(node), 'snapshots'), { recursive: true });
    await writeFile(join(configDir, `${configName}.yaml`), stringify(config));
    return startNodeProcess({
      name: node.hostName,
      ...command,
      env: { FABRIC_CFG_PATH: configDir, FABRIC_LOGGING_SPEC: this.#plan.loggingSpec ?? 'warning' },
      runDir: join(this.#plan.dataDir, 'run'),
      operationsPort,
      port,
    });
  }

  #dataDir(node: NodeMember): string {
    return join(this.#plan.dataDir, 'data', node.hostName);
  }
}

function describe(membership: Membership, plans: readonly PeerPlan[]): FabricOrganisation {
  const { mspId, domain, dir, admin, user } = membership;
  const peers = zip(membership.nodes, plans).map(([node, { port }]) => addressOf(node, port));
  const [gateway] = peers;
  if (gateway === undefined) throw new WaymarkError('configuration-invalid', `${mspId} has no peer`);
  return { mspId, domain, mspDir: join(dir, 'msp'), peers, gateway, admin, user, membership };
}

function addressOf(node: NodeMember, port: number): NodeAddress {
  return {
    name: node.name,
    hostName: node.hostName,
    address: `localhost:${port}`,
    tlsRootCertPath: join(node.dir, 'tls', 'ca.crt'),
    tlsRootCertPem: node.tls.rootCertPem,
  };
}

/** Pairs of two lists of the same length. */
function zip<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  return left.flatMap((item, index) => {
    const other = right[index];
    return other === undefined ? [] : [[item, other] satisfies [A, B]];
  });
}
