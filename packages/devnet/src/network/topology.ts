import { DevnetError } from '../errors.ts';
import type { DevnetOptions, OrganisationOptions } from './options.ts';

/** What a data folder was made for: fixed at its first start. */
export interface Topology {
  readonly formatVersion: 1;
  readonly channel: string;
  readonly host: string;
  readonly organisations: readonly TopologyOrganisation[];
  readonly orderer: TopologyNode & { readonly mspId: string; readonly domain: string };
  readonly batch: {
    readonly timeoutMs: number;
    readonly maxMessageCount: number;
    readonly preferredMaxBytes: number;
    readonly absoluteMaxBytes: number;
  };
}

export interface TopologyOrganisation {
  readonly mspId: string;
  readonly domain: string;
  readonly peers: readonly TopologyNode[];
  /** It came when the channel was there already: options may name it or not. */
  readonly added?: true;
  /** Servers of chaincodes that were named when it was added, `host:port` by chaincode. Options that name one go before. */
  readonly chaincodes?: Readonly<Record<string, string>>;
}

export interface TopologyNode {
  readonly name: string;
  readonly port: number;
}

const DEFAULT_CHANNEL = 'mychannel';
const DEFAULT_BATCH = {
  timeoutMs: 250,
  maxMessageCount: 500,
  preferredMaxBytes: 2 * 1024 * 1024,
  absoluteMaxBytes: 10 * 1024 * 1024,
};
const MAX_ORGANISATIONS = 20;
const MAX_PEERS_PER_ORGANISATION = 10;
const CHANNEL_NAME = /^[a-z][a-z0-9.-]{0,248}$/;
const MSP_ID = /^[A-Za-z0-9.-]{1,64}$/;
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The topology that the options ask for; ports that are not named are 0. Throws DevnetError OPTIONS_INVALID. */
export function topologyOf(options: DevnetOptions): Topology {
  const channel = options.channel ?? DEFAULT_CHANNEL;
  require(CHANNEL_NAME.test(channel), `channel name '${channel}' must match ${CHANNEL_NAME.source}`);
  const { organisations } = options;
  const ordererMspId = options.orderer?.mspId ?? 'OrdererMSP';
  const result: Topology = {
    formatVersion: 1,
    channel,
    host: options.host ?? '127.0.0.1',
    organisations: organisations.map(topologyOrganisationOf),
    orderer: {
      mspId: ordererMspId,
      domain: options.orderer?.domain ?? 'example.com',
      name: options.orderer?.name ?? 'orderer',
      port: options.orderer?.port ?? 0,
    },
    batch: readBatch(options),
  };
  checkOrganisations(result);
  return result;
}

/** Ports that are not named are 0. */
export function topologyOrganisationOf({ mspId, domain, peers }: OrganisationOptions): TopologyOrganisation {
  return {
    mspId,
    domain: domain ?? defaultDomain(mspId),
    peers: (peers ?? [{ name: 'peer0' }]).map(({ name, port }) => ({ name, port: port ?? 0 })),
  };
}

/**
 * What a folder holds together with the organisations that the options ask for beyond it; these come last, with ports 0 where
 * none is named. Throws DevnetError TOPOLOGY_CHANGED when the options ask for something else than the folder was made for.
 */
export function extendTopology(stored: Topology, wanted: Topology): Topology {
  const difference = (name: string, before: unknown, after: unknown) => {
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    throw new DevnetError(
      'TOPOLOGY_CHANGED',
      `the data folder was made for another network: ${name} was ${JSON.stringify(before)}, now ${JSON.stringify(after)}. Use another folder, or the same options`,
    );
  };
  const isNamed = (mspId: string) => wanted.organisations.some((organisation) => organisation.mspId === mspId);
  const isStored = (mspId: string) => stored.organisations.some((organisation) => organisation.mspId === mspId);
  const kept = stored.organisations.filter(({ mspId, added }) => added !== true || isNamed(mspId));
  const asked = wanted.organisations.filter(({ mspId }) => isStored(mspId));
  const shape = (organisations: readonly TopologyOrganisation[]) =>
    organisations.map(({ mspId, domain, peers }) => ({ mspId, domain, peers: peers.map(({ name }) => name) }));
  difference('the channel', stored.channel, wanted.channel);
  difference('the host', stored.host, wanted.host);
  difference('the organisations', shape(kept), shape(asked));
  const withoutPort = ({ orderer: { mspId, domain, name } }: Topology) => ({ mspId, domain, name });
  difference('the orderer', withoutPort(stored), withoutPort(wanted));
  difference('the batch limits', stored.batch, wanted.batch);
  const ports = (orderer: TopologyNode, organisations: readonly TopologyOrganisation[]) => [
    orderer.port,
    ...organisations.flatMap(({ peers }) => peers.map(({ port }) => port)),
  ];
  const storedPorts = ports(stored.orderer, kept);
  ports(wanted.orderer, asked).forEach((port, index) => {
    if (port !== 0) difference('a port', storedPorts[index], port);
  });
  const added = wanted.organisations.filter(({ mspId }) => !isStored(mspId));
  if (added.length === 0) return stored;
  const extended = {
    ...stored,
    organisations: [
      ...stored.organisations,
      ...added.map((organisation) => ({ ...organisation, added: true as const })),
    ],
  };
  checkOrganisations(extended);
  return extended;
}

function readBatch(options: DevnetOptions): Topology['batch'] {
  const batch = { ...DEFAULT_BATCH, ...options.batch };
  for (const [name, value] of Object.entries(batch)) {
    require(Number.isSafeInteger(value) && value > 0, `batch.${name} must be a positive integer`);
  }
  require(batch.preferredMaxBytes <=
    batch.absoluteMaxBytes, 'batch.preferredMaxBytes must not be above batch.absoluteMaxBytes');
  return batch;
}

function checkOrganisations(topology: Topology): void {
  const { length } = topology.organisations;
  require(length > 0 && length <= MAX_ORGANISATIONS, `a network has 1 to ${MAX_ORGANISATIONS} organisations`);
  const mspIds = [...topology.organisations, topology.orderer].map(({ mspId }) => mspId);
  for (const mspId of mspIds) require(MSP_ID.test(mspId), `MSP id '${mspId}' must match ${MSP_ID.source}`);
  require(new Set(mspIds).size === mspIds.length, 'MSP ids must be distinct');
  const domains = [...topology.organisations.map(({ domain }) => domain), topology.orderer.domain];
  for (const domain of domains) {
    require(domain.length <= 48 &&
      domain
        .split('.')
        .every((label) =>
          HOST_LABEL.test(label),
        ), `domain '${domain}' must be made of host name labels, at most 48 characters`);
  }
  require(new Set(domains).size === domains.length, 'domains must be distinct');
  for (const { mspId, peers } of topology.organisations) {
    require(peers.length > 0 &&
      peers.length <= MAX_PEERS_PER_ORGANISATION, `${mspId} must have 1 to ${MAX_PEERS_PER_ORGANISATION} peers`);
    require(new Set(peers.map(({ name }) => name)).size === peers.length, `peers of ${mspId} must have distinct names`);
    for (const { name } of peers) {
      require(name.length <= 15 &&
        HOST_LABEL.test(name), `peer name '${name}' must be a host name label of at most 15 characters`);
    }
  }
}

function defaultDomain(mspId: string): string {
  const name = mspId
    .toLowerCase()
    .replace(/msp$/, '')
    .replaceAll(/[^a-z0-9-]/g, '');
  return `${name === '' ? 'org' : name}.example.com`;
}

function require(condition: boolean, message: string): asserts condition {
  if (!condition) throw new DevnetError('OPTIONS_INVALID', message);
}
