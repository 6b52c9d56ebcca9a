import { join } from 'node:path';
import type { common } from '@hyperledger/fabric-protos';
import { DevnetError, messageOf } from '../errors.ts';
import { openPeerLedger } from '../ledger/index.ts';
import type { ChaincodeDefinition } from '../lifecycle/chaincode-definition.ts';
import { createSigningIdentity } from '../msp/signing-identity.ts';
import { SYSTEM_TIME, openOrderingService } from '../orderer/index.ts';
import type { ChaincodeOfPeer } from '../shim/chaincode-support.ts';
import { admitOrganisations } from './admission.ts';
import { chaincodesOf } from './chaincode-addresses.ts';
import { Closers } from './closers.ts';
import type { DataFolder } from './data-folder.ts';
import { commitDefinitions } from './definitions.ts';
import type { DevnetEmitter } from './events.ts';
import type { Memberships, NodeMembership } from './membership.ts';
import type { DevnetOptions } from './options.ts';
import { OrdererSlot } from './orderer-slot.ts';
import { PeerSlot } from './peer-slot.ts';
import type { Topology } from './topology.ts';

/** A chaincode is not given to servers that are not there: its transactions would fail until they are. */
const SERVER_READY_TIMEOUT_MS = 20_000;

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
  /**
   * Brings what a setup has more than this network onto the channel: organisations with their peers, chaincode definitions with
   * their servers. What is there already is left as it is, so that it can be repeated after a failure.
   */
  extend(setup: NetworkSetup): Promise<void>;
  close(): Promise<void>;
}

interface Start extends NetworkSetup {
  readonly closers: Closers;
}

/**
 * Opens the ledgers, lets organisations into the channel that it lacks, brings all peers up to the orderer, commits definitions
 * that are missing, then opens the endpoints.
 */
export async function runNetwork(setup: NetworkSetup): Promise<RunningNetwork> {
  const closers = new Closers();
  const start = { ...setup, closers };
  try {
    const orderer = await startOrderer(start);
    await admitOrganisations(setup.topology, setup.memberships, orderer);
    const peers: PeerSlot[] = [];
    for (const place of placesOf(setup)) peers.push(await startPeer(start, place, { orderer, slots: peers }));
    await catchUp(peers, orderer.height);
    await commitDefinitionsBy(start, peers, orderer);
    await catchUp(peers, orderer.height);
    await allSettled([orderer.listen(), ...peers.map(({ node }) => node.listen())]);
    return {
      orderer,
      peers,
      extend: (extended) => extendNetwork({ ...extended, closers }, orderer, peers),
      close: () => closers.closeAll(),
    };
  } catch (error) {
    // What failed first is what the caller must know.
    await closers.closeAll().catch(() => undefined);
    throw error;
  }
}

async function extendNetwork(start: Start, orderer: OrdererSlot, peers: PeerSlot[]): Promise<void> {
  const height = await admitOrganisations(start.topology, start.memberships, orderer);
  await catchUp(
    peers.filter(({ isUp }) => isUp),
    height,
  );
  for (const place of placesOf(start)) {
    if (peers.some(({ node }) => node.hostName === place.membership.hostName)) continue;
    const slot = await startPeer(start, place, { orderer, slots: peers });
    try {
      await catchUp([slot], orderer.height);
      await slot.node.listen();
    } catch (error) {
      await slot.stop();
      throw error;
    }
    // From here on the others count on it.
    peers.push(slot);
  }
  await upgradeChaincodes(start, orderer, peers);
}

/**
 * The servers of new definitions are connected first: a transaction runs on the one that belongs to the definition that it
 * reads, so that none meets a version that the channel has not.
 */
async function upgradeChaincodes(start: Start, orderer: OrdererSlot, peers: readonly PeerSlot[]): Promise<void> {
  const sequences = new Map(start.definitions.map(({ name, sequence }) => [name, sequence]));
  const changed = peers.flatMap((slot) =>
    chaincodesAt(start, slot.node.mspId).flatMap((chaincode) => {
      const current = slot.chaincode(chaincode.name);
      const isSame =
        current?.packageId === chaincode.packageId &&
        JSON.stringify(current?.endpoint) === JSON.stringify(chaincode.endpoint);
      return isSame ? [] : [{ slot, chaincode: { ...chaincode, fromSequence: sequences.get(chaincode.name) ?? 1 } }];
    }),
  );
  for (const { slot, chaincode } of changed) slot.prepareChaincode(chaincode);
  const up = peers.filter(({ isUp }) => isUp);
  try {
    await serversReady(changed);
    await commitDefinitionsBy(start, up, orderer);
  } catch (error) {
    for (const { slot, chaincode } of changed) slot.withdrawChaincode(chaincode);
    throw error;
  }
  await catchUp(up, orderer.height);
  for (const { slot, chaincode } of changed) slot.retireChaincodes(chaincode.name);
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

async function serversReady(
  prepared: readonly { readonly slot: PeerSlot; readonly chaincode: ChaincodeOfPeer }[],
): Promise<void> {
  await Promise.all(
    prepared
      .filter(({ slot }) => slot.isUp)
      .map(async ({ slot, chaincode: { name, endpoint } }) => {
        try {
          await slot.node.chaincodes.connection(name)?.ready(SERVER_READY_TIMEOUT_MS);
        } catch (cause) {
          const place = `the server of chaincode ${name} for ${slot.node.hostName}`;
          throw new DevnetError(
            'DEFINITION_REFUSED',
            `${place} (${endpoint.address}) is not ready: ${messageOf(cause)}`,
            {
              cause,
            },
          );
        }
      }),
  );
}

/** One peer that a setup asks for. */
interface PeerPlace {
  readonly mspId: string;
  readonly membership: NodeMembership;
  readonly port: number;
}

function placesOf({ topology, memberships }: NetworkSetup): PeerPlace[] {
  return topology.organisations.flatMap(({ mspId, peers }, index) =>
    peers.map(({ port }, position) => {
      const membership = memberships.organisations[index]?.nodes[position];
      if (membership === undefined) throw new DevnetError('MSP_INVALID', 'a peer has no certificate');
      return { mspId, membership, port };
    }),
  );
}

/** The chaincodes of an organisation's peers. */
function chaincodesAt({ options, topology }: NetworkSetup, mspId: string): ChaincodeOfPeer[] {
  const organisation = topology.organisations.find((candidate) => candidate.mspId === mspId);
  return chaincodesOf(mspId, options.chaincodes ?? [], organisation?.chaincodes);
}

async function startPeer(
  start: Start,
  { mspId, membership, port }: PeerPlace,
  { orderer, slots }: { readonly orderer: OrdererSlot; readonly slots: readonly PeerSlot[] },
): Promise<PeerSlot> {
  const { options, closers, events, genesisBlock } = start;
  const { executeTimeoutMs, launchTimeoutMs, gatewayConcurrencyLimit } = options;
  const slot = await PeerSlot.open({
    ledger: { dir: start.folder.path('ledgers', membership.hostName), genesisBlock },
    node: {
      mspId,
      membership,
      host: start.topology.host,
      port,
      chaincodes: chaincodesAt(start, mspId),
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

/** Waits until every peer has committed so many blocks: also what it had not seen when the network last stopped. */
async function catchUp(peers: readonly PeerSlot[], height: bigint): Promise<void> {
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
