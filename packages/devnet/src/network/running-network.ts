import { join } from 'node:path';
import type { common } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { openPeerLedger } from '../ledger/index.ts';
import type { ChaincodeDefinition } from '../lifecycle/chaincode-definition.ts';
import { createSigningIdentity } from '../msp/signing-identity.ts';
import { SYSTEM_TIME, openOrderingService } from '../orderer/index.ts';
import { chaincodesOf } from './chaincode-addresses.ts';
import { Closers } from './closers.ts';
import type { DataFolder } from './data-folder.ts';
import { commitDefinitions } from './definitions.ts';
import type { DevnetEmitter } from './events.ts';
import type { Memberships, NodeMembership } from './membership.ts';
import type { DevnetOptions } from './options.ts';
import { OrdererSlot } from './orderer-slot.ts';
import { PeerSlot } from './peer-slot.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** What the parts of a network are started from, each time. */
export interface NetworkSetup {
  readonly options: DevnetOptions;
  readonly definitions: readonly ChaincodeDefinition[];
  readonly topology: Topology;
  readonly memberships: Memberships;
  readonly genesisBlock: common.Block;
  readonly folder: DataFolder;
  readonly events: DevnetEmitter;
  readonly nowMs: () => number;
}

/** Orderer and peers with their ledgers open, from one start to the next stop. */
export interface RunningNetwork {
  readonly orderer: OrdererSlot;
  readonly peers: readonly PeerSlot[];
  close(): Promise<void>;
}

interface Start extends NetworkSetup {
  readonly closers: Closers;
}

/** Opens the ledgers, brings all peers up to the orderer, commits definitions that are missing, then opens the endpoints. */
export async function runNetwork(setup: NetworkSetup): Promise<RunningNetwork> {
  const closers = new Closers();
  const start = { ...setup, closers };
  try {
    const orderer = await startOrderer(start);
    const peers = await startPeers(start, orderer);
    await catchUp(peers, orderer);
    await commitDefinitionsBy(start, peers, orderer);
    await catchUp(peers, orderer);
    await allSettled([orderer.listen(), ...peers.map(({ node }) => node.listen())]);
    return { orderer, peers, close: () => closers.closeAll() };
  } catch (error) {
    // What failed first is what the caller must know.
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function startOrderer(start: Start): Promise<OrdererSlot> {
  const { topology, memberships, closers, events, nowMs } = start;
  const [membership] = memberships.orderer.nodes;
  if (membership === undefined) throw new DevnetError('MSP_INVALID', 'the orderer has no certificate');
  const { mspId, port } = topology.orderer;
  const orderer = await OrdererSlot.open({
    ordering: {
      dir: start.folder.path('ledgers', membership.hostName),
      genesisBlock: start.genesisBlock,
      signer: membership.identity,
      time: { ...SYSTEM_TIME, nowMs },
    },
    node: { mspId, membership, host: topology.host, port, nowMs },
    events,
  });
  closers.add('endpoints', () => orderer.closeEndpoint());
  closers.add('orderer', () => orderer.close());
  return orderer;
}

async function startPeers(start: Start, orderer: OrdererSlot): Promise<PeerSlot[]> {
  const { topology, memberships } = start;
  const slots: PeerSlot[] = [];
  for (const [index, organisation] of topology.organisations.entries()) {
    for (const [position, { port }] of organisation.peers.entries()) {
      const membership = memberships.organisations[index]?.nodes[position];
      if (membership === undefined) throw new DevnetError('MSP_INVALID', 'a peer has no certificate');
      slots.push(await startPeer(start, { organisation, membership, port, orderer, slots }));
    }
  }
  return slots;
}

async function startPeer(
  start: Start,
  place: {
    readonly organisation: TopologyOrganisation;
    readonly membership: NodeMembership;
    readonly port: number;
    readonly orderer: OrdererSlot;
    readonly slots: readonly PeerSlot[];
  },
): Promise<PeerSlot> {
  const { options, closers, events, genesisBlock } = start;
  const { membership, orderer, slots } = place;
  const { mspId } = place.organisation;
  const { executeTimeoutMs, launchTimeoutMs, gatewayConcurrencyLimit } = options;
  const slot = await PeerSlot.open({
    ledger: { dir: start.folder.path('ledgers', membership.hostName), genesisBlock },
    node: {
      mspId,
      membership,
      host: start.topology.host,
      port: place.port,
      chaincodes: chaincodesOf(mspId, options.chaincodes ?? []),
      peers: () => slots.filter(({ isKnown }) => isKnown).map(({ node }) => node),
      orderers: [orderer.client],
      nowMs: start.nowMs,
      ...(executeTimeoutMs === undefined ? {} : { executeTimeoutMs }),
      ...(launchTimeoutMs === undefined ? {} : { launchTimeoutMs }),
      ...(gatewayConcurrencyLimit === undefined ? {} : { gatewayConcurrencyLimit }),
      onChaincodeState: (peer, chaincode) => {
        const state = peer.chaincodes.connection(chaincode)?.state;
        if (state !== undefined) events.emit('chaincode', { peer: peer.hostName, chaincode, state });
      },
    },
    orderer,
    events,
  });
  closers.add('peers', () => slot.stop());
  return slot;
}

/** Opens and closes the ledgers that lie in a folder: throws what a start with them would. */
export async function checkLedgers({ memberships, genesisBlock }: NetworkSetup, dir: string): Promise<void> {
  for (const { hostName, identity } of memberships.orderer.nodes) {
    const ordering = await openOrderingService({ dir: join(dir, hostName), genesisBlock, signer: identity });
    await ordering.close();
  }
  for (const { hostName } of memberships.organisations.flatMap(({ nodes }) => nodes)) {
    const ledger = await openPeerLedger({ dir: join(dir, hostName), genesisBlock });
    await ledger.close();
  }
}

/** Every peer commits what the orderer has: also what it had not seen when the network last stopped. */
async function catchUp(peers: readonly PeerSlot[], orderer: OrdererSlot): Promise<void> {
  const { height } = orderer;
  await Promise.all(peers.map(({ follower }) => follower.reached(height)));
}

async function commitDefinitionsBy(
  { memberships, nowMs, definitions }: Start,
  peers: readonly PeerSlot[],
  orderer: OrdererSlot,
): Promise<void> {
  const [leader] = peers;
  const [first] = memberships.organisations;
  if (leader === undefined || first === undefined) throw new DevnetError('OPTIONS_INVALID', 'a network needs a peer');
  const committing = commitDefinitions({
    wanted: definitions,
    ledger: leader.node.ledger,
    ordering: orderer,
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
