import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFabricPrograms } from '@waymark/fabric-nodes';
import { WaymarkError } from '@waymark/protocol';
import { lockDataFolder } from '@waymark/service-kit';
import { type AdditionalChaincode, peersOf, type RunningChannel } from './channel/channel.ts';
import { startEmbeddedChannel } from './channel/embedded.ts';
import { fabricNodeNames, startNativeChannel } from './channel/native.ts';
import { layoutOf, type Layout, type PortPlan, serviceName, servicesOf } from './layout.ts';
import { freePorts } from './ports.ts';
import { type RunningProcess, startProcess } from './processes.ts';
import { type GatewayPlace, provision, type ProvisionedNode } from './provision.ts';
import { register } from './register.ts';
import type { Runtime } from './runtime.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

const repository = join(import.meta.dirname, '..', '..');

/** How to start. */
export interface ConsortiumOptions {
  readonly topology: Topology;
  /** Holds everything; made when absent. With a folder that was used before, the consortium goes on where it stopped. */
  readonly dataDir: string;
  /** Where the built chaincode lies (`ensureChaincodeBuilt`). */
  readonly chaincodeFolder: string;
  /** Default: embedded, which needs nothing but npm. */
  readonly runtime?: Runtime;
  readonly onProgress?: (step: string) => void;
  /** Further contracts for the channel: what measurements compare with. */
  readonly additionalChaincodes?: readonly AdditionalChaincode[];
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

/** A consortium of processes on this machine: the channel with its chaincode, centers, outlets. */
export interface Consortium {
  readonly layout: Layout;
  readonly topology: Topology;
  /** As they run now: a restart puts the new process in the place of the old. */
  readonly services: readonly RunningService[];
  readonly channel: RunningChannel;
  /** Everything that runs: the channel's nodes and chaincodes, then the services. */
  processes(): readonly RunningProcess[];
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

/**
 * Starts a consortium: the channel on its runtime, then centers and outlets.
 *
 * @throws WaymarkError `program-missing` when the runtime's programs are not there; `configuration-invalid` when the folder was made
 *   with another runtime
 */
export async function startConsortium(options: ConsortiumOptions): Promise<Consortium> {
  const { topology, dataDir, chaincodeFolder, onProgress = () => undefined, additionalChaincodes = [] } = options;
  const runtime = options.runtime ?? 'embedded';
  // Before anything is written: a folder that was begun for a runtime stays with it.
  if (runtime === 'native') await findFabricPrograms();
  const layout = layoutOf(dataDir, runtime);
  const lock = lockDataFolder(dataDir);
  let channel: RunningChannel | undefined;
  let services: RunningService[] = [];
  let stopping = false;
  const stopAll = async (): Promise<void> => {
    stopping = true;
    // Services first: each lets go of the channel before the channel goes.
    await Promise.all(services.map(({ process }) => process.stop()));
    await channel?.stop();
    lock.release();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopAll());
  try {
    await mkdir(layout.run, { recursive: true, mode: 0o700 });
    const ports = await portPlan(topology, layout, runtime);
    const start = runtime === 'embedded' ? startEmbeddedChannel : startNativeChannel;
    const started = await start({ topology, layout, ports, chaincodeFolder, additionalChaincodes, onProgress });
    channel = started;
    onProgress('issuing certificates and keys');
    const nodes = await provision(topology, layout, ports, started.gateways);
    const [first] = topology.organisations;
    if (first !== undefined) await copyFile(layout.node(first, 'reader').profile, layout.defaultProfile);
    onProgress('starting centers and outlets, registering them on the channel');
    // Waits for all of them, so that none is left behind when one fails.
    const [registered, ...settled] = await Promise.allSettled([
      registerOnce(topology, layout, started.gateways, nodes),
      ...servicesOf(topology).map((service) => startService(service, layout)),
    ]);
    services = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failure = [registered, ...settled].find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    const processes = (): readonly RunningProcess[] => [
      ...started.nodes,
      ...started.chaincodes,
      ...services.map(({ process }) => process),
    ];
    const restart = async (name: string): Promise<void> => {
      const old = processes().find((process) => process.name === name);
      if (old === undefined) throw new WaymarkError('input-invalid', `there is no process ${name}`);
      await old.exited;
      if (await started.restart(name)) return;
      const index = services.findIndex(({ process }) => process === old);
      const service = services[index];
      if (service === undefined) throw new WaymarkError('internal', `${name} is kept nowhere`);
      services[index] = await startService(service, layout);
    };
    const failed = Promise.race(
      processes().map(async ({ name, exited }) => {
        await exited;
        return stopping ? new Promise<string>(() => undefined) : name;
      }),
    );
    return { layout, topology, channel: started, services, processes, stop, restart, failed };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portPlan(topology: Topology, layout: Layout, runtime: Runtime): Promise<PortPlan> {
  if (existsSync(layout.portsFile)) {
    const stored = JSON.parse(await readFile(layout.portsFile, 'utf8')) as PortPlan;
    const madeFor = stored.runtime ?? 'embedded';
    if (madeFor === runtime) return stored;
    throw new WaymarkError(
      'configuration-invalid',
      `${layout.root} was made with the runtime ${madeFor}, not ${runtime}`,
    );
  }
  const services = servicesOf(topology);
  const devnetNodes = [
    'orderer',
    ...topology.organisations.flatMap((organisation) =>
      peersOf(organisation).map((peer) => `${peer}.${organisation.domain}`),
    ),
  ];
  const fabricNodes = fabricNodeNames(topology);
  const ports = await freePorts(
    (runtime === 'embedded' ? devnetNodes.length : fabricNodes.length * 4) +
      topology.organisations.length +
      services.length * 3,
  );
  const next = (): number => ports.pop() ?? 0;
  const plan: PortPlan = {
    runtime,
    ...(runtime === 'embedded'
      ? { devnet: Object.fromEntries(devnetNodes.map((name) => [name, next()])) }
      : {
          fabric: Object.fromEntries(
            fabricNodes.map((name) => [
              name,
              { port: next(), operationsPort: next(), adminPort: next(), chaincodePort: next() },
            ]),
          ),
        }),
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
