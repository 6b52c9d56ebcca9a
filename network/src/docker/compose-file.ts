import { dirname, join, relative, sep } from 'node:path';
import { peersOf } from '../channel/channel.ts';
import type { ChaincodeServerPlan } from '../hosting/hosting.ts';
import { type Layout, type NodePorts, type PortPlan, serviceName, servicesOf } from '../layout.ts';
import { orderingOrganisations } from '../ordering.ts';
import type { Topology } from '../topology.ts';
import { WaymarkError } from '@waymark/protocol';
import { stringify } from 'yaml';
import type { ComposeDocument, ComposeService } from './compose-document.ts';
import {
  chaincodeContainer,
  channelNetwork,
  kuboHost,
  serviceContainer,
  swarmNetwork,
  volumesService,
} from './container-names.ts';
import {
  chaincodeContainerOf,
  fabricContainer,
  kuboContainer,
  serviceContainerOf,
  type Surroundings,
  volumesContainer,
} from './containers.ts';

/** What a compose file is made from. */
export interface ComposePlan extends Surroundings {
  /** Name of the Compose project: containers, volumes and networks carry it. */
  readonly project: string;
  readonly topology: Topology;
  readonly layout: Layout;
  readonly ports: PortPlan;
  /** Chaincode servers, as far as the channel knows their packages. */
  readonly chaincodes: readonly ChaincodeServerPlan[];
  readonly loggingSpec: string;
}

/** Where the files of a node lie that is not a service: what its container reads. */
export interface NodeFolders {
  orderer(owner: { readonly mspId: string; readonly domain: string }, hostName: string): string;
  peer(domain: string, hostName: string): string;
  kubo(domain: string): string;
}

/** Where the compose file of a data folder lies. */
export function composeFileOf(layout: Layout): string {
  return join(layout.root, 'docker', 'compose.yaml');
}

/** The folders as fabric-nodes and kubo-nodes make them. */
export function nodeFolders(topology: Topology, layout: Layout): NodeFolders {
  const members = new Set(topology.organisations.map(({ mspId }) => mspId));
  return {
    // A member that orders has one folder for both.
    orderer: ({ mspId, domain }, hostName) =>
      join(
        layout.chain,
        members.has(mspId) ? 'peerOrganizations' : 'ordererOrganizations',
        domain,
        'orderers',
        hostName,
      ),
    peer: (domain, hostName) => join(layout.chain, 'peerOrganizations', domain, 'peers', hostName),
    kubo: (domain) => join(layout.content, domain, 'node'),
  };
}

/**
 * The compose file of a whole network: one container for each orderer, peer, chaincode, kubo, center and outlet. Paths are
 * relative to the file.
 *
 * - One network for the channel (orderers, peers, centers), one for the private swarm (kubos), one for each organisation.
 * - Published are ports on 127.0.0.1, and users' ports on `publish`: nothing else.
 * - Keys are in folders that are mounted, read-only but for sealed key stores; never in an environment or an image.
 *
 * @throws WaymarkError `configuration-invalid` when a node has no ports
 */
export function composeDocument(plan: ComposePlan): ComposeDocument {
  const { topology, layout } = plan;
  const folders = nodeFolders(topology, layout);
  const containers: Record<string, ComposeService> = {};
  const volumes: { readonly name: string; readonly folders: readonly string[] }[] = [];
  const place = (path: string): string =>
    relative(dirname(composeFileOf(layout)), path)
      .split(sep)
      .join('/');
  const add = (name: string, container: ComposeService, foldersInside: readonly string[] = []): void => {
    containers[name] = container;
    if (container.volumes.some(({ type }) => type === 'volume')) volumes.push({ name, folders: foldersInside });
  };
  for (const owner of orderingOrganisations(topology)) {
    for (const name of owner.orderers) {
      const hostName = `${name}.${owner.domain}`;
      const nodeDir = place(folders.orderer(owner, hostName));
      add(
        hostName,
        fabricContainer(plan, { ...fabricNode(plan, 'orderer', hostName, nodeDir), networks: [channelNetwork] }),
      );
    }
  }
  for (const organisation of topology.organisations) {
    const { domain, mspId } = organisation;
    for (const name of peersOf(organisation)) {
      const hostName = `${name}.${domain}`;
      const nodeDir = place(folders.peer(domain, hostName));
      const networks = [channelNetwork, domain];
      add(hostName, fabricContainer(plan, { ...fabricNode(plan, 'peer', hostName, nodeDir), networks }), ['snapshots']);
    }
    const content = planned(plan.ports.content?.[mspId], kuboHost(organisation));
    add(kuboHost(organisation), kuboContainer(plan, organisation, place(folders.kubo(domain)), content.apiPort));
  }
  for (const server of plan.chaincodes) {
    add(chaincodeContainer(server.organisation, server.name), chaincodeContainerOf(plan, server.organisation, server));
  }
  for (const service of servicesOf(topology)) {
    const { organisation, node } = service;
    const name = serviceContainer(service);
    const ports = planned(plan.ports.services[serviceName(organisation, node)], name);
    add(name, serviceContainerOf(plan, service, place(layout.node(organisation, node).dir), ports));
  }
  return {
    name: plan.project,
    services: { [volumesService]: volumesContainer(plan, volumes), ...containers },
    networks: Object.fromEntries(
      [channelNetwork, swarmNetwork, ...topology.organisations.map(({ domain }) => domain)].map((name) => [
        name,
        { driver: 'bridge' },
      ]),
    ),
    volumes: Object.fromEntries(volumes.map(({ name }) => [name, {}])),
  };
}

/** The document as a file. Compose reads `$` as the beginning of a variable: each is doubled. */
export function composeText(document: ComposeDocument): string {
  const escaped = JSON.parse(JSON.stringify(document).replaceAll('$', '$$$$')) as ComposeDocument;
  return [
    '# Made from topology.yaml at every start: change that, not this. In this folder:',
    '#   docker compose ps | logs | stop | start',
    stringify(escaped, { lineWidth: 0, aliasDuplicateObjects: false }),
  ].join('\n');
}

/** Folders of this machine that containers see. */
export function mountedFolders({ services }: ComposeDocument, layout: Layout): string[] {
  const base = dirname(composeFileOf(layout));
  return Object.values(services).flatMap(({ volumes }) =>
    volumes.flatMap((mount) => (mount.type === 'bind' ? [join(base, mount.source)] : [])),
  );
}

function fabricNode(plan: ComposePlan, kind: 'orderer' | 'peer', hostName: string, nodeDir: string) {
  const ports: NodePorts = planned(plan.ports.fabric?.[hostName], hostName);
  return { kind, hostName, nodeDir, ports, loggingSpec: plan.loggingSpec };
}

function planned<Ports>(ports: Ports | undefined, name: string): Ports {
  if (ports === undefined) throw new WaymarkError('configuration-invalid', `no ports are planned for ${name}`);
  return ports;
}
