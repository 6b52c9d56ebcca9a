import { posix } from 'node:path';
import type { ServicePlan } from '../hosting/hosting.ts';
import { type NodePorts, programOf, type ServicePorts } from '../layout.ts';
import type { TopologyOrganisation } from '../topology.ts';
import type { ComposeMount, ComposeService } from './compose-document.ts';
import { checkedBy, folder, hardened, volume } from './container-defaults.ts';
import {
  chaincodeHost,
  channelNetwork,
  kuboHost,
  serviceContainer,
  swarmNetwork,
  volumesService,
} from './container-names.ts';
import type { Images } from './versions.ts';

/** Where things are in containers of each kind. */
export const containerPaths = {
  fabricNode: '/etc/hyperledger/fabric',
  fabricData: '/var/hyperledger',
  /** In the official peer images. */
  fabricBuilder: '/opt/hyperledger/ccaas_builder',
  kuboNode: '/etc/kubo',
  kuboData: '/data/ipfs',
  service: '/etc/waymark',
} as const;

/** What all containers of one network are made with. */
export interface Surroundings {
  readonly images: Images;
  /** `uid:gid` that programs run as: who may read the folders and owns the volumes. */
  readonly user: string;
  /** Address of this machine that users' ports are published on. */
  readonly publish: string;
  /** Folder that holds this repository, for building images of it. */
  readonly repository: string;
}

const loopback = '127.0.0.1';
const afterVolumes = { [volumesService]: { condition: 'service_completed_successfully' } } as const;

/** `address:port:port` as the Compose format has it: a port is the same inside and outside. */
export function published(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}:${port}`;
}

/** Whether an operations port answers 200: bash is all that Fabric's images have for asking. */
function fabricHealth(operationsPort: number): string {
  return [
    `exec 3<>/dev/tcp/${loopback}/${operationsPort}`,
    String.raw`printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3`,
    'read -r _ status _ <&3',
    '[ "$status" = 200 ]',
  ].join(' && ');
}

/** An orderer or a peer. */
export function fabricContainer(
  { images, user, publish }: Surroundings,
  node: {
    readonly kind: 'orderer' | 'peer';
    readonly hostName: string;
    readonly nodeDir: string;
    readonly ports: NodePorts;
    readonly networks: readonly string[];
    readonly loggingSpec: string;
  },
): ComposeService {
  const { kind, hostName, ports } = node;
  return {
    ...hardened({ memory: '2g', pids: 512 }),
    image: images[kind],
    hostname: hostName,
    command: kind === 'peer' ? ['peer', 'node', 'start'] : ['orderer', 'start'],
    working_dir: containerPaths.fabricNode,
    user,
    environment: {
      FABRIC_CFG_PATH: containerPaths.fabricNode,
      FABRIC_LOGGING_SPEC: node.loggingSpec,
      HOME: '/tmp',
    },
    volumes: [folder(node.nodeDir, containerPaths.fabricNode), volume(hostName, containerPaths.fabricData)],
    ports: [
      published(publish, ports.port),
      // Administration and health never leave this machine.
      ...(kind === 'orderer' ? [published(loopback, ports.adminPort)] : []),
      published(loopback, ports.operationsPort),
    ],
    networks: attached(node.networks),
    depends_on: afterVolumes,
    healthcheck: checkedBy('60s', 'bash', '-c', fabricHealth(ports.operationsPort)),
  };
}

/** An organisation's kubo: its swarm is shared, its API is the organisation's own. */
export function kuboContainer(
  { images, user }: Surroundings,
  organisation: TopologyOrganisation,
  nodeDir: string,
  apiPort: number,
): ComposeService {
  return {
    ...hardened({ memory: '2g', pids: 1024 }),
    image: images.kubo,
    hostname: kuboHost(organisation),
    entrypoint: ['sh', posix.join(containerPaths.kuboNode, 'start.sh'), containerPaths.kuboData],
    user,
    environment: { HOME: '/tmp' },
    volumes: [folder(nodeDir, containerPaths.kuboNode), volume(kuboHost(organisation), containerPaths.kuboData)],
    ports: [published(loopback, apiPort)],
    networks: attached([swarmNetwork, organisation.domain]),
    depends_on: afterVolumes,
    // Healthy when the API is there and refuses whoever comes without its secret.
    healthcheck: checkedBy(
      '60s',
      'sh',
      '-c',
      `wget -O /dev/null --post-data= http://${loopback}:${apiPort}/api/v0/id 2>&1 | grep -q 403`,
    ),
  };
}

/** The chaincode of one organisation, which only its own peers can reach. */
export function chaincodeContainerOf(
  { images, user, repository }: Surroundings,
  organisation: TopologyOrganisation,
  { port, packageId }: { readonly port: number; readonly packageId: string },
): ComposeService {
  return {
    ...hardened({ memory: '1g', pids: 128 }),
    image: images.chaincode,
    build: { context: repository, dockerfile: 'network/docker/chaincode.Dockerfile' },
    user,
    environment: {
      CHAINCODE_SERVER_ADDRESS: `0.0.0.0:${port}`,
      CHAINCODE_ID: packageId,
      CORE_CHAINCODE_LOGGING_LEVEL: 'warning',
      HOME: '/tmp',
    },
    volumes: [],
    ports: [],
    networks: { [organisation.domain]: { aliases: [chaincodeHost(organisation)] } },
    depends_on: {},
    healthcheck: checkedBy('30s', 'node', 'chaincode-health.mjs'),
  };
}

/** A center or its standby, an outlet or a verifier. */
export function serviceContainerOf(
  { images, user, publish, repository }: Surroundings,
  service: ServicePlan,
  nodeDir: string,
  ports: ServicePorts,
): ComposeService {
  const { organisation, kind } = service;
  const name = serviceContainer(service);
  const program = programOf(kind);
  const center = serviceContainer({ organisation, node: 'center', kind: 'center' });
  const peer = `${organisation.leaderPeer}.${organisation.domain}`;
  return {
    ...hardened({ memory: '2g', pids: 256 }),
    image: images.service,
    build: { context: repository, dockerfile: 'network/docker/service.Dockerfile' },
    hostname: name,
    command: [`services/${program}/src/main.ts`, '--config', posix.join(containerPaths.service, 'configuration.yaml')],
    user,
    environment: { HOME: '/tmp' },
    volumes: serviceMounts(name, nodeDir),
    ports: [
      published(publish, ports.grpcPort),
      published(publish, ports.apiPort),
      published(loopback, ports.operationsPort),
    ],
    networks: attached(program === 'enterprise' ? [channelNetwork, organisation.domain] : [organisation.domain]),
    depends_on: {
      ...afterVolumes,
      ...(program === 'enterprise'
        ? { [peer]: { condition: 'service_healthy' }, [kuboHost(organisation)]: { condition: 'service_healthy' } }
        : { [peer]: { condition: 'service_healthy' }, [center]: { condition: 'service_started' } }),
    },
    healthcheck: checkedBy(
      '60s',
      'node',
      '/app/service-health.mjs',
      posix.join(containerPaths.service, 'configuration.yaml'),
    ),
  };
}

/** Keys and configuration are read; a service writes to its key store, which is sealed, and to its volume. */
function serviceMounts(name: string, nodeDir: string): ComposeMount[] {
  return [
    folder(nodeDir, containerPaths.service),
    folder(`${nodeDir}/keys`, posix.join(containerPaths.service, 'keys'), 'write'),
    volume(name, posix.join(containerPaths.service, 'data')),
  ];
}

/** Runs once, without a network: new volumes belong to root, and the programs do not run as root. */
export function volumesContainer(
  { images, user, repository }: Surroundings,
  volumes: readonly { readonly name: string; readonly folders: readonly string[] }[],
): ComposeService {
  const at = (name: string): string => posix.join('/volumes', name);
  const folders = volumes.flatMap(({ name, folders: inside }) => inside.map((one) => posix.join(at(name), one)));
  const all = [...volumes.map(({ name }) => at(name)), ...folders];
  return {
    ...hardened({ memory: '256m', pids: 32 }),
    restart: 'no',
    image: images.service,
    build: { context: repository, dockerfile: 'network/docker/service.Dockerfile' },
    entrypoint: ['sh', '-c'],
    command: [
      [...(folders.length === 0 ? [] : [`mkdir -p ${folders.join(' ')}`]), `chown ${user} ${all.join(' ')}`].join(
        ' && ',
      ),
    ],
    user: '0:0',
    cap_add: ['CHOWN', 'DAC_OVERRIDE'],
    volumes: volumes.map(({ name }) => volume(name, at(name))),
    ports: [],
    network_mode: 'none',
    depends_on: {},
    healthcheck: { disable: true },
  };
}

function attached(networks: readonly string[]): Record<string, null> {
  return Object.fromEntries(networks.map((name) => [name, null]));
}
