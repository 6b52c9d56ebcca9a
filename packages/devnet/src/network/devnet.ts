import { join } from 'node:path';
import type { IssueParams } from '../ca/index.ts';
import { replaceMsp, type ConfigChange } from '../config/index.ts';
import { DevnetError } from '../errors.ts';
import { createSigningIdentity, type SigningIdentity } from '../msp/index.ts';
import type { DevnetClock } from './clock.ts';
import type { DevnetFaults } from './faults.ts';
import type { DevnetEmitter } from './events.ts';
import type { EnrolledIdentity, Membership, Memberships } from './membership.ts';
import type { DevnetOptions } from './options.ts';
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
  reset(): Promise<void>;
  snapshot(dir: string): Promise<void>;
  restore(dir: string): Promise<void>;
  stop(): Promise<void>;
}

export function buildHandle(parts: {
  readonly options: DevnetOptions;
  readonly topology: Topology;
  readonly memberships: Memberships;
  readonly events: DevnetEmitter;
  readonly clock: DevnetClock;
  readonly faults: DevnetFaults;
  readonly network: HandledNetwork;
}): Devnet {
  const { topology, memberships, network } = parts;
  const { orderer } = network.running;
  const nodes = () => network.running.peers.map(({ node }) => node);
  const admins = [...memberships.organisations, memberships.orderer].map(({ admin }) => createSigningIdentity(admin));
  const updateConfig = (change: ConfigChange) => applyConfig(network.running, change, admins);
  const organisations = memberships.organisations.map((membership) =>
    buildOrganisation(
      membership,
      nodes().filter(({ mspId }) => mspId === membership.mspId),
      updateConfig,
    ),
  );
  return {
    channel: topology.channel,
    dataDir: parts.options.dataDir,
    organisations,
    orderer: { mspId: orderer.mspId, ...connectionOf(orderer, orderer.membership.name) },
    events: parts.events,
    clock: parts.clock,
    faults: parts.faults,
    organisation: (mspId) => {
      const found = organisations.find((organisation) => organisation.mspId === mspId);
      if (found === undefined) throw new DevnetError('OPTIONS_INVALID', `no organisation ${mspId} in this network`);
      return found;
    },
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
    reset: () => network.reset(),
    snapshot: (dir) => network.snapshot(dir),
    restore: (dir) => network.restore(dir),
    stop: () => network.stop(),
  };
}

async function applyConfig(
  { orderer, peers }: RunningNetwork,
  change: ConfigChange,
  admins: readonly SigningIdentity[],
): Promise<bigint> {
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
