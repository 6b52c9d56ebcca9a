import type { common } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { openPeerLedger } from '../ledger/index.ts';
import { createSigningIdentity } from '../msp/signing-identity.ts';
import { SYSTEM_TIME, openOrderingService } from '../orderer/index.ts';
import { followOrderer, type BlockFollower } from './block-follower.ts';
import { chaincodesOf, checkAddresses } from './chaincode-addresses.ts';
import { Closers } from './closers.ts';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { commitDefinitions, definitionOf } from './definitions.ts';
import { buildHandle, type Devnet } from './devnet.ts';
import { createDevnetEmitter, type DevnetEmitter } from './events.ts';
import { openGenesisBlock } from './genesis-block.ts';
import { openMemberships, type Memberships, type NodeMembership } from './membership.ts';
import type { DevnetOptions } from './options.ts';
import { createOrdererNode, type OrdererNode } from './orderer-node.ts';
import { createPeerNode, type PeerNode } from './peer-node.ts';
import { assignPorts } from './ports.ts';
import { checkUnchanged, topologyOf, type Topology, type TopologyOrganisation } from './topology.ts';

/** What the parts of a network are started from. */
interface Start {
  readonly options: DevnetOptions;
  readonly topology: Topology;
  readonly memberships: Memberships;
  readonly genesisBlock: common.Block;
  readonly folder: DataFolder;
  readonly events: DevnetEmitter;
  readonly closers: Closers;
  readonly nowMs: () => number;
}

interface StartedPeer {
  readonly node: PeerNode;
  readonly follower: BlockFollower;
}

/**
 * Starts a Fabric network in this process: for development, evaluation and tests, not for production. With a folder that was
 * used before, it goes on where it stopped. Throws DevnetError: OPTIONS_INVALID, TOPOLOGY_CHANGED, DATA_LOCKED, DATA_INVALID,
 * ADDRESS_IN_USE, DEFINITION_REFUSED, and what certificates and ledgers on disk may give rise to.
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const wanted = topologyOf(options);
  const definitions = (options.chaincodes ?? []).map(definitionOf);
  checkAddresses(options);
  const folder = await openDataFolder(options.dataDir);
  const closers = new Closers();
  closers.add('folder', () => folder.release());
  try {
    const start = await prepare(options, wanted, folder, closers);
    const orderer = await startOrderer(start);
    const peers = await startPeers(start, orderer);
    await catchUp(peers, orderer);
    await commitDefinitionsBy(start, peers, orderer, definitions);
    await catchUp(peers, orderer);
    const nodes = peers.map(({ node }) => node);
    await allSettled([orderer.listen(), ...nodes.map((node) => node.listen())]);
    return buildHandle({ ...start, orderer, peers: nodes, dataDir: options.dataDir, stop: () => closers.closeAll() });
  } catch (error) {
    // What failed first is what the caller must know.
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function prepare(options: DevnetOptions, wanted: Topology, folder: DataFolder, closers: Closers): Promise<Start> {
  if (folder.stored !== undefined) checkUnchanged(folder.stored, wanted);
  const topology = folder.stored ?? (await assignPorts(wanted));
  const memberships = await openMemberships(folder, topology);
  const genesisBlock = await openGenesisBlock(folder, topology, memberships);
  if (folder.stored === undefined) await folder.complete(topology);
  const nowMs = options.nowMs ?? Date.now;
  return { options, topology, memberships, genesisBlock, folder, closers, nowMs, events: createDevnetEmitter() };
}

async function startOrderer(start: Start): Promise<OrdererNode> {
  const { topology, memberships, closers, nowMs } = start;
  const [membership] = memberships.orderer.nodes;
  if (membership === undefined) throw new DevnetError('MSP_INVALID', 'the orderer has no certificate');
  const ordering = await openOrderingService({
    dir: start.folder.path('ledgers', membership.hostName),
    genesisBlock: start.genesisBlock,
    signer: membership.identity,
    time: { ...SYSTEM_TIME, nowMs },
  });
  closers.add('orderer', () => ordering.close());
  const { mspId, port } = topology.orderer;
  const node = createOrdererNode({ mspId, membership, host: topology.host, port, ordering, nowMs });
  closers.add('endpoints', () => node.close());
  return node;
}

async function startPeers(start: Start, orderer: OrdererNode): Promise<StartedPeer[]> {
  const { topology, memberships } = start;
  const started: StartedPeer[] = [];
  const peers = () => started.map(({ node }) => node);
  for (const [index, organisation] of topology.organisations.entries()) {
    for (const [position, { port }] of organisation.peers.entries()) {
      const membership = memberships.organisations[index]?.nodes[position];
      if (membership === undefined) throw new DevnetError('MSP_INVALID', 'a peer has no certificate');
      started.push(await startPeer(start, { organisation, membership, port, orderer, peers }));
    }
  }
  return started;
}

async function startPeer(
  start: Start,
  place: {
    readonly organisation: TopologyOrganisation;
    readonly membership: NodeMembership;
    readonly port: number;
    readonly orderer: OrdererNode;
    readonly peers: () => readonly PeerNode[];
  },
): Promise<StartedPeer> {
  const { options, closers, events, genesisBlock } = start;
  const { membership, orderer } = place;
  const { mspId } = place.organisation;
  const ledger = await openPeerLedger({ dir: start.folder.path('ledgers', membership.hostName), genesisBlock });
  closers.add('ledgers', () => ledger.close());
  const { executeTimeoutMs, launchTimeoutMs, gatewayConcurrencyLimit } = options;
  const node = createPeerNode({
    mspId,
    membership,
    host: start.topology.host,
    port: place.port,
    ledger,
    chaincodes: chaincodesOf(mspId, options.chaincodes ?? []),
    peers: place.peers,
    orderers: [orderer.client],
    nowMs: start.nowMs,
    ...(executeTimeoutMs === undefined ? {} : { executeTimeoutMs }),
    ...(launchTimeoutMs === undefined ? {} : { launchTimeoutMs }),
    ...(gatewayConcurrencyLimit === undefined ? {} : { gatewayConcurrencyLimit }),
    onChaincodeState: (peer, chaincode) => {
      const state = peer.chaincodes.connection(chaincode)?.state;
      if (state !== undefined) events.emit('chaincode', { peer: peer.hostName, chaincode, state });
    },
  });
  closers.add('endpoints', () => node.close());
  const follower = followOrderer({ peer: node.hostName, ledger, ordering: orderer.ordering, events });
  closers.add('followers', () => follower.stop());
  return { node, follower };
}

/** Every peer commits what the orderer has: also what it had not seen when the network last stopped. */
async function catchUp(peers: readonly StartedPeer[], orderer: OrdererNode): Promise<void> {
  const { height } = orderer.ordering;
  await Promise.all(peers.map(({ follower }) => follower.reached(height)));
}

async function commitDefinitionsBy(
  { memberships, nowMs }: Start,
  peers: readonly StartedPeer[],
  orderer: OrdererNode,
  wanted: Parameters<typeof commitDefinitions>[0]['wanted'],
): Promise<void> {
  const [leader] = peers;
  const [first] = memberships.organisations;
  if (leader === undefined || first === undefined) throw new DevnetError('OPTIONS_INVALID', 'a network needs a peer');
  const committing = commitDefinitions({
    wanted,
    ledger: leader.node.ledger,
    ordering: orderer.ordering,
    submitter: createSigningIdentity(first.admin),
    endorsers: memberships.organisations.flatMap(({ nodes }) => nodes.slice(0, 1).map(({ identity }) => identity)),
    nowMs,
  });
  await Promise.race([committing, leader.follower.failed]);
}

/** Waits for all, also when one fails: what is closed afterwards must not be opening still. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(promises);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
