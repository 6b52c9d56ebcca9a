import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { lockDataFolder } from '@waymark/service-kit';
import { layoutOf, type Layout, type PortPlan, serviceName, servicesOf } from './layout.ts';
import { freePorts } from './ports.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import { type GatewayPlace, provision, type ProvisionedNode } from './provision.ts';
import { register } from './register.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

const repository = join(import.meta.dirname, '..', '..');

/** How to start. */
export interface ConsortiumOptions {
  readonly topology: Topology;
  /** Holds everything; made when absent. With a folder that was used before, the consortium goes on where it stopped. */
  readonly dataDir: string;
  /** Where the built chaincode lies (`ensureChaincodeBuilt`). */
  readonly chaincodeFolder: string;
  readonly onProgress?: (step: string) => void;
  /** Further contracts for the channel, which run already: what measurements compare with. */
  readonly additionalChaincodes?: readonly AdditionalChaincode[];
}

/** A contract that is not Waymark's. */
export interface AdditionalChaincode {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** `host:port` by MSP id. */
  readonly address: Readonly<Record<string, string>>;
}

/** A service of a running consortium. */
export interface RunningService {
  readonly organisation: TopologyOrganisation;
  readonly node: string;
  readonly kind: 'center' | 'outlet';
  readonly process: RunningProcess;
  readonly operationsUrl: string;
  readonly apiUrl: string;
}

/** A consortium of processes on this machine: devnet, chaincode, centers, outlets. */
export interface Consortium {
  readonly layout: Layout;
  readonly topology: Topology;
  /** As they run now: a restart puts the new process in the place of the old. */
  readonly services: readonly RunningService[];
  readonly devnet: RunningProcess;
  readonly chaincodes: readonly RunningProcess[];
  /** Ends everything, readers before what they read from. */
  stop(): Promise<void>;
  /**
   * Starts any process again, on the same ports and data, once the old one is gone; it must have ended or have been killed.
   * @throws WaymarkError input-invalid when no process has this name
   */
  restart(name: string): Promise<void>;
  /** Resolves with the name of the first process that ends unasked. */
  readonly failed: Promise<string>;
}

/** Starts a consortium with the embedded runtime (devnet and the embedded content store). */
export async function startConsortium(options: ConsortiumOptions): Promise<Consortium> {
  const { topology, dataDir, chaincodeFolder, onProgress = () => undefined, additionalChaincodes = [] } = options;
  const layout = layoutOf(dataDir);
  const lock = lockDataFolder(dataDir);
  await mkdir(layout.run, { recursive: true, mode: 0o700 });
  const ports = await portPlan(topology, layout);
  const running: RunningProcess[] = [];
  const keep = (process: RunningProcess): RunningProcess => {
    running.push(process);
    return process;
  };
  const stopAll = async (): Promise<void> => {
    stopping = true;
    // Services first: each lets go of the channel before the channel goes.
    const order = running.toReversed();
    const isService = ({ name }: RunningProcess): boolean => !name.startsWith('chaincode-') && name !== 'devnet';
    await Promise.all(order.filter(isService).map((process) => process.stop()));
    for (const process of order.filter((item) => !isService(item))) await process.stop();
    lock.release();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopAll());
  let stopping = false;
  try {
    onProgress('starting the chaincode of each organisation');
    const startChaincodeOf = (organisation: TopologyOrganisation): Promise<RunningProcess> =>
      startChaincode(organisation, ports, layout, topology, chaincodeFolder);
    const chaincodes = await Promise.all(
      topology.organisations.map(async (organisation) => keep(await startChaincodeOf(organisation))),
    );
    onProgress('starting devnet (development only, not for production)');
    let devnet = keep(await startDevnetProcess(topology, ports, layout, additionalChaincodes));
    const gateways = gatewaysOf(devnet);
    onProgress('issuing certificates and keys');
    const nodes = await provision(topology, layout, ports, gateways);
    const [first] = topology.organisations;
    if (first !== undefined) await copyFile(layout.node(first, 'reader').profile, layout.defaultProfile);
    onProgress('starting centers and outlets, registering them on the channel');
    const [services] = await Promise.all([
      Promise.all(
        servicesOf(topology).map(async ({ organisation, node, kind }) => {
          const started = await startService({ organisation, node, kind }, layout);
          keep(started.process);
          return started;
        }),
      ),
      registerOnce(topology, layout, gateways, nodes),
    ]);
    const startAgain = async (old: RunningProcess): Promise<RunningProcess> => {
      if (old === devnet) return (devnet = await startDevnetProcess(topology, ports, layout, additionalChaincodes));
      const chaincode = chaincodes.indexOf(old);
      const organisation = topology.organisations[chaincode];
      if (organisation !== undefined) return (chaincodes[chaincode] = await startChaincodeOf(organisation));
      const index = services.findIndex(({ process }) => process === old);
      const service = services[index];
      if (service === undefined) throw new WaymarkError('internal', `${old.name} is kept nowhere`);
      const fresh = await startService(service, layout);
      services[index] = fresh;
      return fresh.process;
    };
    const restart = async (name: string): Promise<void> => {
      const old = running.find((process) => process.name === name);
      if (old === undefined) throw new WaymarkError('input-invalid', `there is no process ${name}`);
      await old.exited;
      running[running.indexOf(old)] = await startAgain(old);
    };
    const failed = Promise.race(
      running.map(async ({ name, exited }) => {
        await exited;
        return stopping ? new Promise<string>(() => undefined) : name;
      }),
    );
    return {
      layout,
      topology,
      services,
      get devnet() {
        return devnet;
      },
      chaincodes,
      stop,
      restart,
      failed,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The leader peer and those of the outlets that run one. */
function peersOf({ leaderPeer, outlets }: TopologyOrganisation): string[] {
  return [leaderPeer, ...outlets.filter(({ peer }) => peer).map(({ name }) => name)];
}

async function portPlan(topology: Topology, layout: Layout): Promise<PortPlan> {
  if (existsSync(layout.portsFile)) return JSON.parse(await readFile(layout.portsFile, 'utf8')) as PortPlan;
  const services = servicesOf(topology);
  const peers = topology.organisations.flatMap((organisation) =>
    peersOf(organisation).map((peer) => `${peer}.${organisation.domain}`),
  );
  const ports = await freePorts(1 + peers.length + topology.organisations.length + services.length * 3);
  const next = (): number => ports.pop() ?? 0;
  const plan: PortPlan = {
    devnet: Object.fromEntries(['orderer', ...peers].map((name) => [name, next()])),
    chaincodes: Object.fromEntries(topology.organisations.map(({ mspId }) => [mspId, next()])),
    services: Object.fromEntries(
      services.map(({ organisation, node }) => [
        serviceName(organisation, node),
        { grpcPort: next(), apiPort: next(), operationsPort: next() },
      ]),
    ),
  };
  await writeFile(layout.portsFile, `${JSON.stringify(plan, null, 2)}\n`);
  return plan;
}

function startChaincode(
  organisation: TopologyOrganisation,
  ports: PortPlan,
  layout: Layout,
  topology: Topology,
  folder: string,
): Promise<RunningProcess> {
  return startProcess(
    {
      name: `chaincode-${organisation.domain}`,
      script: join(folder, 'start.js'),
      args: [],
      cwd: folder,
      env: {
        CHAINCODE_SERVER_ADDRESS: `127.0.0.1:${ports.chaincodes[organisation.mspId] ?? 0}`,
        CHAINCODE_ID: `${topology.chaincode.name}_${topology.chaincode.version}`,
        CORE_CHAINCODE_LOGGING_LEVEL: 'warning',
      },
      announcesReady: false,
    },
    layout.run,
  );
}

async function startDevnetProcess(
  topology: Topology,
  ports: PortPlan,
  layout: Layout,
  additionalChaincodes: readonly AdditionalChaincode[],
): Promise<RunningProcess> {
  const portOf = (name: string): { port?: number } => {
    const port = ports.devnet?.[name];
    return port === undefined ? {} : { port };
  };
  const plan = {
    dataDir: layout.devnet,
    channel: topology.channel,
    organisations: topology.organisations.map((organisation) => ({
      mspId: organisation.mspId,
      domain: organisation.domain,
      peers: peersOf(organisation).map((name) => ({ name, ...portOf(`${name}.${organisation.domain}`) })),
    })),
    orderer: portOf('orderer'),
    chaincodes: [
      {
        name: topology.chaincode.name,
        version: topology.chaincode.version,
        sequence: topology.chaincode.sequence,
        address: Object.fromEntries(
          topology.organisations.map(({ mspId }) => [mspId, `127.0.0.1:${ports.chaincodes[mspId] ?? 0}`]),
        ),
      },
      ...additionalChaincodes,
    ],
    batch: {
      timeoutMs: topology.ordering.batchTimeoutMs,
      maxMessageCount: topology.ordering.maxMessageCount,
      preferredMaxBytes: topology.ordering.preferredMaxBytes,
      absoluteMaxBytes: topology.ordering.absoluteMaxBytes,
    },
  };
  const planFile = join(layout.run, 'devnet.json');
  await writeFile(planFile, `${JSON.stringify(plan, null, 2)}\n`);
  return startProcess(
    {
      name: 'devnet',
      script: join(repository, 'network', 'src', 'devnet-process.ts'),
      args: ['--plan', planFile],
      announcesReady: true,
    },
    layout.run,
  );
}

async function startService(
  { organisation, node, kind }: { organisation: TopologyOrganisation; node: string; kind: 'center' | 'outlet' },
  layout: Layout,
): Promise<RunningService> {
  const service = kind === 'center' ? 'enterprise' : 'department';
  const process = await startProcess(
    {
      name: serviceName(organisation, node),
      script: join(repository, 'services', service, 'src', 'main.ts'),
      args: ['--config', layout.node(organisation, node).configuration],
      announcesReady: true,
    },
    layout.run,
  );
  return {
    organisation,
    node,
    kind,
    process,
    operationsUrl: `http://127.0.0.1:${Number(process.ready['operations'])}`,
    apiUrl: `https://127.0.0.1:${Number(process.ready['api'])}`,
  };
}

function gatewaysOf(devnet: RunningProcess): ReadonlyMap<string, GatewayPlace> {
  const organisations = devnet.ready['organisations'] as { mspId: string; gateway: GatewayPlace }[];
  return new Map(organisations.map(({ mspId, gateway }) => [mspId, gateway]));
}

async function registerOnce(
  topology: Topology,
  layout: Layout,
  gateways: ReadonlyMap<string, GatewayPlace>,
  nodes: readonly ProvisionedNode[],
): Promise<void> {
  if (existsSync(layout.registeredFile)) return;
  await register(topology, layout, gateways, nodes);
  await writeFile(layout.registeredFile, `${JSON.stringify({ at: new Date().toISOString() })}\n`);
}
