import { readFile, writeFile } from 'node:fs/promises';
import { common } from '@hyperledger/fabric-protos';
import { buildGenesisBlock } from '../config/genesis.ts';
import { DevnetError } from '../errors.ts';
import { openPeerLedger } from '../ledger/index.ts';
import { buildMspConfig } from '../msp/fabric-msp-config.ts';
import { createSigningIdentity } from '../msp/signing-identity.ts';
import { SYSTEM_TIME, openOrderingService } from '../orderer/index.ts';
import { chaincodesOf, checkAddresses } from './chaincode-addresses.ts';
import { Closers } from './closers.ts';
import { openDataFolder, type DataFolder } from './data-folder.ts';
import { commitDefinitions, definitionOf } from './definitions.ts';
import { buildHandle, type Devnet } from './devnet.ts';
import { createDevnetEmitter, type DevnetEmitter } from './events.ts';
import {
  createMembership,
  loadMembership,
  type Membership,
  type MembershipParams,
  type Memberships,
} from './membership.ts';
import type { DevnetOptions } from './options.ts';
import { createOrdererNode, type OrdererNode } from './orderer-node.ts';
import { createPeerNode, type PeerNode } from './peer-node.ts';
import { assignPorts } from './ports.ts';
import { checkUnchanged, topologyOf, type Topology } from './topology.ts';

const GENESIS_FILE = 'genesis.block';

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
  const stop = () => closers.closeAll();
  try {
    if (folder.stored !== undefined) checkUnchanged(folder.stored, wanted);
    const topology = folder.stored ?? (await assignPorts(wanted));
    const memberships = await openMemberships(folder, topology);
    const genesisBlock = await openGenesisBlock(folder, topology, memberships);
    if (folder.stored === undefined) await folder.complete(topology);
    const events = createDevnetEmitter();
    const nowMs = options.nowMs ?? Date.now;
    const orderer = await startOrderer(folder, topology, memberships.orderer, genesisBlock, nowMs, closers);
    const peers = await startPeers(options, topology, memberships, orderer, genesisBlock, folder, events, closers);
    const [leader] = peers;
    const [first] = memberships.organisations;
    if (leader === undefined || first === undefined) throw new DevnetError('OPTIONS_INVALID', 'a network needs a peer');
    await commitDefinitions({
      wanted: definitions,
      ledger: leader.ledger,
      ordering: orderer.ordering,
      submitter: createSigningIdentity(first.admin),
      endorsers: memberships.organisations.flatMap(({ nodes }) => nodes.slice(0, 1).map(({ identity }) => identity)),
      nowMs,
    });
    await Promise.all(peers.map((peer) => reachHeight(peer, leader.ledger.height)));
    await allSettled([orderer.listen(), ...peers.map((peer) => peer.listen())]);
    return buildHandle({ topology, memberships, orderer, peers, events, dataDir: options.dataDir, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openMemberships(folder: DataFolder, topology: Topology): Promise<Memberships> {
  const open = (params: MembershipParams) =>
    folder.stored === undefined ? createMembership(params) : loadMembership(params);
  const { host, orderer } = topology;
  const [ordererMembership, ...organisations] = await Promise.all([
    open({ dir: folder.path('orderer'), ...orderer, kind: 'orderer', nodeNames: [orderer.name], host }),
    ...topology.organisations.map(({ mspId, domain, peers }) =>
      open({
        dir: folder.path('organisations', domain),
        mspId,
        domain,
        kind: 'peer',
        nodeNames: peers.map(({ name }) => name),
        host,
      }),
    ),
  ]);
  return { orderer: ordererMembership, organisations };
}

async function openGenesisBlock(
  folder: DataFolder,
  topology: Topology,
  memberships: Memberships,
): Promise<common.Block> {
  const path = folder.path(GENESIS_FILE);
  if (folder.stored !== undefined) {
    try {
      return common.Block.deserializeBinary(await readFile(path));
    } catch (cause) {
      throw new DevnetError('DATA_INVALID', `cannot read ${GENESIS_FILE}`, { cause });
    }
  }
  const block = buildGenesis(topology, memberships);
  await writeFile(path, block.serializeBinary());
  return block;
}

function buildGenesis(topology: Topology, memberships: Memberships): common.Block {
  const { host, orderer } = topology;
  const ordererEndpoint = { host, port: orderer.port };
  const ordererTls = memberships.orderer.nodes.map(({ tls }) => tls.certificatePem);
  return buildGenesisBlock({
    channelId: topology.channel,
    applicationOrganisations: topology.organisations.map((organisation, index) => ({
      mspId: organisation.mspId,
      mspConfig: mspConfigOf(memberships.organisations[index]),
      anchorPeers: organisation.peers.slice(0, 1).map(({ port }) => ({ host, port })),
    })),
    ordererOrganisations: [
      { mspId: orderer.mspId, mspConfig: mspConfigOf(memberships.orderer), endpoints: [ordererEndpoint] },
    ],
    consenters: ordererTls.map((pem) => ({ ...ordererEndpoint, clientTlsCertPem: pem, serverTlsCertPem: pem })),
    batchSize: topology.batch,
    batchTimeoutMs: topology.batch.timeoutMs,
    timestampMs: Date.now(),
  });
}

function mspConfigOf(membership: Membership | undefined) {
  if (membership === undefined) throw new DevnetError('MSP_INVALID', 'an organisation has no CA');
  return buildMspConfig({
    mspId: membership.mspId,
    rootCertsPem: [membership.ca.rootCertPem],
    tlsRootCertsPem: [membership.ca.tlsRootCertPem],
  });
}

async function startOrderer(
  folder: DataFolder,
  topology: Topology,
  membership: Membership,
  genesisBlock: common.Block,
  nowMs: () => number,
  closers: Closers,
): Promise<OrdererNode> {
  const [node] = membership.nodes;
  if (node === undefined) throw new DevnetError('MSP_INVALID', 'the orderer has no certificate');
  const ordering = await openOrderingService({
    dir: folder.path('ledgers', node.hostName),
    genesisBlock,
    signer: node.identity,
    time: { ...SYSTEM_TIME, nowMs },
  });
  closers.add('orderer', () => ordering.close());
  const orderer = createOrdererNode({
    mspId: membership.mspId,
    membership: node,
    host: topology.host,
    port: topology.orderer.port,
    ordering,
    nowMs,
  });
  closers.add('endpoints', () => orderer.close());
  return orderer;
}

async function startPeers(
  options: DevnetOptions,
  topology: Topology,
  memberships: Memberships,
  orderer: OrdererNode,
  genesisBlock: common.Block,
  folder: DataFolder,
  events: DevnetEmitter,
  closers: Closers,
): Promise<PeerNode[]> {
  const peers: PeerNode[] = [];
  for (const [index, organisation] of topology.organisations.entries()) {
    const chaincodes = chaincodesOf(organisation.mspId, options.chaincodes ?? []);
    for (const [position, { port }] of organisation.peers.entries()) {
      const membership = memberships.organisations[index]?.nodes[position];
      if (membership === undefined) throw new DevnetError('MSP_INVALID', 'a peer has no certificate');
      const ledger = await openPeerLedger({ dir: folder.path('ledgers', membership.hostName), genesisBlock });
      closers.add('ledgers', () => ledger.close());
      const peer = createPeerNode({
        mspId: organisation.mspId,
        membership,
        host: topology.host,
        port,
        ledger,
        chaincodes,
        peers: () => peers,
        orderers: [orderer.client],
        nowMs: options.nowMs ?? Date.now,
        ...(options.executeTimeoutMs === undefined ? {} : { executeTimeoutMs: options.executeTimeoutMs }),
        ...(options.launchTimeoutMs === undefined ? {} : { launchTimeoutMs: options.launchTimeoutMs }),
        ...(options.gatewayConcurrencyLimit === undefined
          ? {}
          : { gatewayConcurrencyLimit: options.gatewayConcurrencyLimit }),
        onChaincodeState: (node, chaincode) => {
          const state = node.chaincodes.connection(chaincode)?.state;
          if (state !== undefined) events.emit('chaincode', { peer: node.hostName, chaincode, state });
        },
      });
      peers.push(peer);
      closers.add('endpoints', () => peer.close());
      closers.add('followers', followOrderer(peer, orderer, events));
    }
  }
  return peers;
}

/** Commits the orderer's blocks on a peer, from where its ledger ends. Returns the function that stops it. */
function followOrderer(peer: PeerNode, orderer: OrdererNode, events: DevnetEmitter): () => Promise<void> {
  const stopped = new AbortController();
  const follow = async () => {
    try {
      for await (const block of orderer.ordering.blocks(peer.ledger.height, stopped.signal)) {
        const { number } = await peer.ledger.commit(block);
        const transactions = block.getData()?.getDataList().length ?? 0;
        events.emit('block', { peer: peer.hostName, number, transactions });
      }
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (!stopped.signal.aborted) events.emit('failed', { peer: peer.hostName, error });
    }
  };
  const following = follow();
  return async () => {
    stopped.abort();
    await following;
  };
}

/** Waits for all, also when one fails: what is closed afterwards must not be opening still. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(promises);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

function reachHeight(peer: PeerNode, height: bigint): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = peer.ledger.onCommit(() => check());
    const check = () => {
      if (peer.ledger.height < height) return;
      unsubscribe();
      resolve();
    };
    check();
  });
}
