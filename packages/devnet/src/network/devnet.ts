import { join } from 'node:path';
import type { IssueParams } from '../ca/index.ts';
import { DevnetError } from '../errors.ts';
import type { DevnetEmitter } from './events.ts';
import type { EnrolledIdentity, Membership, Memberships } from './membership.ts';
import type { OrdererNode } from './orderer-node.ts';
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
  /** Resolves when every peer that has the chaincode is connected to it. Rejects after `timeoutMs`. */
  chaincodesReady(timeoutMs: number): Promise<void>;
  /** Ends all services, then closes the ledgers. */
  stop(): Promise<void>;
}

export function buildHandle(parts: {
  readonly topology: Topology;
  readonly memberships: Memberships;
  readonly orderer: OrdererNode;
  readonly peers: readonly PeerNode[];
  readonly events: DevnetEmitter;
  readonly dataDir: string;
  readonly stop: () => Promise<void>;
}): Devnet {
  const { topology, memberships, orderer, peers } = parts;
  const organisations = memberships.organisations.map((membership) =>
    buildOrganisation(
      membership,
      peers.filter(({ mspId }) => mspId === membership.mspId),
    ),
  );
  let stopping: Promise<void> | undefined;
  return {
    channel: topology.channel,
    dataDir: parts.dataDir,
    organisations,
    orderer: { mspId: orderer.mspId, ...connectionOf(orderer, orderer.membership.name) },
    events: parts.events,
    organisation: (mspId) => {
      const found = organisations.find((organisation) => organisation.mspId === mspId);
      if (found === undefined) throw new DevnetError('OPTIONS_INVALID', `no organisation ${mspId} in this network`);
      return found;
    },
    heights: () => Object.fromEntries(peers.map(({ hostName, ledger }) => [hostName, ledger.height])),
    chaincodesReady: async (timeoutMs) => {
      await Promise.all(
        peers.flatMap(({ chaincodes }) =>
          chaincodes.names.map(async (name) => {
            await chaincodes.connection(name)?.ready(timeoutMs);
          }),
        ),
      );
    },
    stop: () => (stopping ??= parts.stop()),
  };
}

function buildOrganisation(membership: Membership, peers: readonly PeerNode[]): DevnetOrganisation {
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
