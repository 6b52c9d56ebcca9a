import { readFile } from 'node:fs/promises';
import { askPeer, type PeerFacts } from '@waymark/fabric-nodes';
import { connect } from '@waymark/sdk';
import { adminOf } from '../admin.ts';
import type { ChannelPeer } from '../channel/channel.ts';
import type { Consortium, RunningService } from '../consortium.ts';
import type { ServiceKind } from '../layout.ts';
import type { Runtime } from '../runtime.ts';
import type { TopologyOrganisation } from '../topology.ts';
import { certificatesIn, type CertificateExpiry } from './certificates.ts';
import { ledgerStatus, type LedgerStatus } from './ledgers.ts';

const answerWithinMs = 3_000;

/** A peer as it is now. */
export interface PeerStatus {
  readonly name: string;
  /** Null when it does not answer. */
  readonly height: number | null;
  readonly anchor: boolean;
}

/** A service as it is now. */
export interface ServiceStatus {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly state: 'ready' | 'not-ready' | 'away';
}

/** Batches that the channel knows, and how many organisations can give them. */
export interface PinStatus {
  readonly anchored: number;
  /** Held by as many organisations as the topology asks for. */
  readonly replicated: number;
  readonly missing: number;
  /** Centers that did not say: their batches are in none of the other numbers. */
  readonly silentCenters: number;
}

/** A network at a moment. */
export interface NetworkStatus {
  readonly runtime: Runtime;
  /** Null on devnet. */
  readonly fabricVersion: string | null;
  readonly channel: string;
  readonly chaincode: { readonly name: string; readonly version: string; readonly sequence: number };
  readonly ordering: 'raft' | 'bft' | 'devnet';
  readonly orderers: number;
  readonly toleratedFaults: number;
  /** Host name of the orderer that leads; null while nobody does. */
  readonly leader: string | null;
  readonly organisations: readonly {
    readonly mspId: string;
    readonly name: string;
    readonly role: TopologyOrganisation['role'];
    readonly peers: readonly PeerStatus[];
    readonly services: readonly ServiceStatus[];
  }[];
  readonly pins: PinStatus;
  /** Of the organisations that have one. */
  readonly ledgers: readonly LedgerStatus[];
  readonly certificates: readonly CertificateExpiry[];
  /** Processes that are down or being started again. */
  readonly away: readonly string[];
}

/** Asks everybody; what does not answer within three seconds is shown as away. */
export async function readStatus(consortium: Consortium, away: readonly string[] = []): Promise<NetworkStatus> {
  const { topology, channel, services } = consortium;
  const [ordering, organisations, pins, ledgers, certificates] = await Promise.all([
    channel.ordering(),
    Promise.all(topology.organisations.map((organisation) => organisationStatus(consortium, organisation))),
    pinStatus(consortium),
    ledgerStatus(consortium),
    certificatesIn(consortium.layout.root),
  ]);
  const { type, orderers, toleratedFaults, leader } = ordering;
  return {
    runtime: consortium.runtime,
    fabricVersion: channel.fabricVersion ?? null,
    channel: topology.channel,
    chaincode: topology.chaincode,
    ordering: type,
    orderers,
    toleratedFaults,
    leader: leader ?? null,
    organisations: await Promise.all(
      organisations.map(async ({ organisation, peers }) => ({
        mspId: organisation.mspId,
        name: organisation.name,
        role: organisation.role,
        peers,
        services: await Promise.all(
          services.filter((service) => service.organisation.mspId === organisation.mspId).map(serviceStatus),
        ),
      })),
    ),
    pins,
    ledgers,
    certificates,
    away,
  };
}

async function organisationStatus(
  { layout, topology, channel }: Consortium,
  organisation: TopologyOrganisation,
): Promise<{ readonly organisation: TopologyOrganisation; readonly peers: PeerStatus[] }> {
  const admin = { mspId: organisation.mspId, mspDir: '', ...(await adminOf(organisation, layout)) };
  const ask = async (peer: ChannelPeer): Promise<PeerFacts | undefined> => {
    const tlsRootCertPem = await readFile(peer.tlsRootFile, 'utf8');
    const node = { ...peer, tlsRootCertPath: peer.tlsRootFile, tlsRootCertPem };
    // Somebody who does not answer is what this is there to show.
    return askPeer(node, admin, topology.channel, answerWithinMs).catch(() => undefined);
  };
  const own = channel.peers.filter(({ mspId }) => mspId === organisation.mspId);
  const facts = await Promise.all(own.map(ask));
  const config = facts.find((fact) => fact !== undefined)?.config;
  const anchors = config?.organisations.find(({ mspId }) => mspId === organisation.mspId)?.anchorPeers ?? [];
  const peers = own.map(({ name, hostName, address }, index): PeerStatus => {
    const port = Number(address.split(':').at(-1));
    const height = facts[index]?.height;
    return {
      name,
      height: height === undefined ? null : Number(height),
      anchor: anchors.some(
        (anchor) => anchor.port === port && ['localhost', '127.0.0.1', hostName].includes(anchor.host),
      ),
    };
  });
  return { organisation, peers };
}

async function serviceStatus({ process, kind, operationsUrl }: RunningService): Promise<ServiceStatus> {
  const answer = await fetch(`${operationsUrl}/healthz/ready`, { signal: AbortSignal.timeout(answerWithinMs) }).catch(
    () => undefined,
  );
  const state = answer === undefined ? 'away' : answer.ok ? 'ready' : 'not-ready';
  return { name: process.name, kind, state };
}

/** Each center counts the batches of its own organisation. */
async function pinStatus({ topology, layout }: Consortium): Promise<PinStatus> {
  const counts = await Promise.all(
    topology.organisations.map(async (organisation) => {
      const client = connect(layout.node(organisation, 'client').profile);
      try {
        const { pins } = await client.status();
        return isPinStatus(pins) ? pins : undefined;
      } catch {
        return undefined;
      } finally {
        await client.close();
      }
    }),
  );
  const known = counts.filter((count) => count !== undefined);
  const sum = (key: (typeof counted)[number]): number => known.reduce((total, count) => total + count[key], 0);
  return {
    anchored: sum('anchored'),
    replicated: sum('replicated'),
    missing: sum('missing'),
    silentCenters: counts.length - known.length,
  };
}

const counted = ['anchored', 'replicated', 'missing'] as const;

function isPinStatus(value: unknown): value is Record<(typeof counted)[number], number> {
  if (typeof value !== 'object' || value === null) return false;
  return counted.every((key) => typeof Reflect.get(value, key) === 'number');
}
