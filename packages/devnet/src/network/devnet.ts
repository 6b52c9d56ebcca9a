import { join } from 'node:path';
import type { IssueParams } from '../ca/index.ts';
import { replaceMsp, type ConfigChange } from '../config/index.ts';
import { DevnetError } from '../errors.ts';
import { createSigningIdentity } from '../msp/index.ts';
import type { DevnetClock } from './clock.ts';
import type { DevnetFaults } from './faults.ts';
import type { DevnetEmitter } from './events.ts';
import type { EnrolledIdentity, Membership, Memberships } from './membership.ts';
import type { AddedOrganisationOptions, ChaincodeOptions, DevnetOptions } from './options.ts';
import type { RunningNetwork } from './running-network.ts';
import type { PeerNode } from './peer-node.ts';
import type { Topology } from './topology.ts';

/** Where a node of the network is reached. All of them speak gRPC over TLS. */
export interface NodeConnection {
  readonly name: string;
  /** Name in the node's certificate; the certificate holds the address too. */
  readonly hostName: string;
  /** `host:port`. */
  readonly address: string;
  /** PEM file of the TLS CA to trust. */
  readonly tlsRootCertPath: string;
  readonly tlsRootCertPem: string;
}

/** One organisation of a running network. */
export interface DevnetOrganisation {
  readonly mspId: string;
  readonly domain: string;
  /** Folder with the organisation's CAs, MSP, peers and users. */
  readonly dir: string;
  /** The organisation's MSP folder, without keys. */
  readonly mspDir: string;
  readonly peers: readonly NodeConnection[];
  /** The leader peer, whose gateway clients use. */
  readonly gateway: NodeConnection;
  readonly admin: EnrolledIdentity;
  readonly user: EnrolledIdentity;
  /** Issues a new identity of the organisation and writes its MSP folder under `users/`. */
  enrol(params: IssueParams): Promise<EnrolledIdentity>;
  /**
   * Revokes an identity of the organisation: a configuration block brings the revocation list to every peer. Resolves with its
   * number. Throws DevnetError MSP_INVALID for a certificate of another CA.
   */
  revoke(certificatePem: string): Promise<bigint>;
}

/** A running network. */
export interface Devnet {
  readonly channel: string;
  readonly dataDir: string;
  readonly organisations: readonly DevnetOrganisation[];
  readonly orderer: NodeConnection & { readonly mspId: string };
  readonly events: DevnetEmitter;
  /** Throws DevnetError OPTIONS_INVALID for an MSP id that is not in the network. */
  organisation(mspId: string): DevnetOrganisation;
  /** Height of each peer's ledger by host name. */
  heights(): Readonly<Record<string, bigint>>;
  /** Resolves when every peer that is up and has the chaincode is connected to it. Rejects after `timeoutMs`. */
  chaincodesReady(timeoutMs: number): Promise<void>;
  /** What proposals, requests and certificates are judged by; can be moved. */
  readonly clock: DevnetClock;
  readonly faults: DevnetFaults;
  /**
   * Emits a configuration block: `change` edits a copy of the configuration, and the admins of all organisations sign what is
   * other in it. Resolves with the block's number when every peer that is up has committed it. Throws DevnetError
   * CONFIG_INVALID and the like when the configuration would be wrong, or the same.
   */
  updateConfig(change: ConfigChange): Promise<bigint>;
  /**
   * Lets another organisation into the running channel: makes its CAs and certificates, brings a configuration update onto the
   * channel that the admins of a majority of its members sign, starts its peers with the whole chain. Resolves when its gateway
   * serves. What is done already is left as it is, so that it can be repeated after a failure; a start with the same folder
   * goes on with it as well, whether or not its options name the organisation. Throws DevnetError OPTIONS_INVALID,
   * TOPOLOGY_CHANGED (there is another one of this MSP id), ADDRESS_IN_USE.
   */
  addOrganisation(options: AddedOrganisationOptions): Promise<DevnetOrganisation>;
  /**
   * Brings the next definition of a chaincode onto the running channel, or a chaincode that it does not have. Its servers must be
   * up: they run the transactions that read the new definition, the old ones those that still read the one before. Nothing
   * happens when the channel has it. A later start must name it in its options. Throws DevnetError DEFINITION_REFUSED.
   */
  upgradeChaincode(chaincode: ChaincodeOptions): Promise<void>;
  /** Begins anew from block 0, with the same certificates, ports and chaincode definitions. The handle stays as it is. */
  reset(): Promise<void>;
  /** Copies the whole data folder, keys included, to a folder that is empty or not there; a network can be started from the copy. */
  snapshot(dir: string): Promise<void>;
  /** Brings ledgers and state back to a snapshot of this network. Throws DevnetError DATA_INVALID for anything else. */
  restore(dir: string): Promise<void>;
  /** Ends all services, then closes the ledgers. */
  stop(): Promise<void>;
}

/** What runs behind the handle. */
export interface HandledNetwork {
  readonly running: RunningNetwork;
  readonly memberships: Memberships;
  addOrganisation(options: AddedOrganisationOptions): Promise<void>;
  upgradeChaincode(chaincode: ChaincodeOptions): Promise<void>;
  reset(): Promise<void>;
  snapshot(dir: string): Promise<void>;
  restore(dir: string): Promise<void>;
  stop(): Promise<void>;
}

export function buildHandle(parts: {
  readonly options: DevnetOptions;
  readonly topology: Topology;
  readonly events: DevnetEmitter;
  readonly clock: DevnetClock;
  readonly faults: DevnetFaults;
  readonly network: HandledNetwork;
}): Devnet {
  const { topology, network } = parts;
  const { orderer } = network.running;
  const nodes = () => network.running.peers.map(({ node }) => node);
  const updateConfig = (change: ConfigChange) => applyConfig(network, change);
  const organisations: DevnetOrganisation[] = [];
  const describe = (membership: Membership): DevnetOrganisation => {
    const known = organisations.find(({ mspId }) => mspId === membership.mspId);
    if (known !== undefined) return known;
    const peers = nodes().filter(({ mspId }) => mspId === membership.mspId);
    const described = buildOrganisation(membership, peers, updateConfig);
    organisations.push(described);
    return described;
  };
  network.memberships.organisations.forEach(describe);
  const organisation = (mspId: string): DevnetOrganisation => {
    const found = organisations.find((candidate) => candidate.mspId === mspId);
    if (found === undefined) throw new DevnetError('OPTIONS_INVALID', `no organisation ${mspId} in this network`);
    return found;
  };
  return {
    channel: topology.channel,
    dataDir: parts.options.dataDir,
    organisations,
    orderer: { mspId: orderer.mspId, ...connectionOf(orderer, orderer.membership.name) },
    events: parts.events,
    clock: parts.clock,
    faults: parts.faults,
    organisation,
    heights: () => Object.fromEntries(nodes().map(({ hostName, ledger }) => [hostName, ledger.height])),
    chaincodesReady: async (timeoutMs) => {
      const up = network.running.peers.filter(({ isUp }) => isUp);
      await Promise.all(
        up.flatMap(({ node: { chaincodes } }) =>
          chaincodes.names.map(async (name) => {
            await chaincodes.connection(name)?.ready(timeoutMs);
          }),
        ),
      );
    },
    updateConfig,
    addOrganisation: async (options) => {
      await network.addOrganisation(options);
      network.memberships.organisations.forEach(describe);
      return organisation(options.mspId);
    },
    upgradeChaincode: (chaincode) => network.upgradeChaincode(chaincode),
    reset: () => network.reset(),
    snapshot: (dir) => network.snapshot(dir),
    restore: (dir) => network.restore(dir),
    stop: () => network.stop(),
  };
}

async function applyConfig({ running, memberships }: HandledNetwork, change: ConfigChange): Promise<bigint> {
  const { orderer, peers } = running;
  const admins = [...memberships.organisations, memberships.orderer].map(({ admin }) => createSigningIdentity(admin));
  const block = await orderer.updateConfig(change, admins);
  const number = BigInt(block.getHeader()?.getNumber() ?? 0);
  await Promise.all(peers.filter(({ isUp }) => isUp).map(({ follower }) => follower.reached(number + 1n)));
  return number;
}

function buildOrganisation(
  membership: Membership,
  peers: readonly PeerNode[],
  updateConfig: (change: ConfigChange) => Promise<bigint>,
): DevnetOrganisation {
  const connections = peers.map((peer) => connectionOf(peer, peer.name));
  const [gateway] = connections;
  if (gateway === undefined) throw new DevnetError('OPTIONS_INVALID', `${membership.mspId} has no peer`);
  const { mspId, domain, dir, admin, user } = membership;
  return {
    mspId,
    domain,
    dir,
    mspDir: join(dir, 'msp'),
    peers: connections,
    gateway,
    admin,
    user,
    enrol: (params) => membership.enrol(params),
    revoke: async (certificatePem) => {
      const mspConfig = await membership.revoke(certificatePem);
      return updateConfig(replaceMsp(mspId, mspConfig));
    },
  };
}

function connectionOf(node: Pick<PeerNode, 'hostName' | 'address' | 'membership'>, name: string): NodeConnection {
  return {
    name,
    hostName: node.hostName,
    address: node.address,
    tlsRootCertPath: join(node.membership.dir, 'tls', 'ca.crt'),
    tlsRootCertPem: node.membership.tls.rootCertPem,
  };
}
