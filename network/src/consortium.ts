import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';
import { lockDataFolder } from '@waymark/service-kit';
import type { AdditionalChaincode, ChannelPlan, RunningChannel } from './channel/channel.ts';
import { startEmbeddedChannel } from './channel/embedded.ts';
import { startFabricChannel } from './channel/fabric.ts';
import { embeddedContent, type RunningContent } from './content/content.ts';
import { startKuboContent } from './content/kubo.ts';
import type { Hosting, ServicePlan } from './hosting/hosting.ts';
import {
  layoutOf,
  type Layout,
  type PortPlan,
  type ServiceKind,
  serviceName,
  type ServiceNode,
  servicesOf,
} from './layout.ts';
import { openPlatform, type Platform, requireRuntime } from './platform.ts';
import { planPorts } from './port-plan.ts';
import type { RunningProcess } from './processes.ts';
import { provision, type ProvisionedNode } from './provision.ts';
import { admit, register, type Register } from './register.ts';
import type { Runtime } from './runtime.ts';
import { testOrganisation } from './self-test.ts';
import { type Topology, type TopologyOrganisation, withOrganisation } from './topology.ts';
import { writeWhole } from './write-whole.ts';

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
  /** Docker only: exact version of Fabric's images. */
  readonly fabricVersion?: string | undefined;
  /** Docker only: address of this machine on which users' ports are published. Default 127.0.0.1. */
  readonly publish?: string | undefined;
  /** Which services wait for `startDeferred`, so that the others are up sooner. Default: none. */
  readonly defer?: (service: ServiceNode) => boolean;
  /** Further contracts for the channel: what measurements compare with. */
  readonly additionalChaincodes?: readonly AdditionalChaincode[];
}

/** A service of a running consortium. */
export interface RunningService {
  readonly organisation: TopologyOrganisation;
  readonly node: string;
  readonly kind: ServiceKind;
  readonly process: RunningProcess;
  readonly operationsUrl: string;
  readonly apiUrl: string;
}

/** A consortium: the channel with its chaincode, content stores, centers, outlets. */
export interface Consortium {
  readonly runtime: Runtime;
  readonly layout: Layout;
  readonly topology: Topology;
  readonly ports: PortPlan;
  /** As they run now: a restart puts the new process in the place of the old. */
  readonly services: readonly RunningService[];
  readonly channel: RunningChannel;
  readonly content: RunningContent;
  /** Everything that runs: the channel's nodes and chaincodes, content stores, then the services. */
  processes(): readonly RunningProcess[];
  /** Starts what was deferred; safe to repeat. */
  startDeferred(): Promise<void>;
  /** Ends everything, readers before what they read from. */
  stop(): Promise<void>;
  /**
   * Brings one more organisation in while everything runs: its content store, the channel's configuration signed by the members, its
   * peers and chaincode, its admission by the members' votes, its services; the other centers are told of it. At the end a record goes
   * through its outlet and comes back by trusted query. Safe to repeat after a failure half-way.
   */
  addOrganisation(organisation: TopologyOrganisation): Promise<void>;
  /** Brings the chaincode, as it is built now, onto the channel as the next definition under another version. */
  upgradeChaincode(version: string): Promise<void>;
  /**
   * Starts any process again, on the same ports and data, once the old one is gone; it must have ended or have been killed.
   * @throws WaymarkError input-invalid when no process has this name
   */
  restart(name: string): Promise<void>;
  /** Kills a process (SIGKILL) and waits until it is gone: `restart` brings it back. @throws WaymarkError input-invalid */
  halt(name: string): Promise<void>;
  /** Resolves with the name of the first process that ends unasked. */
  readonly failed: Promise<string>;
}

/**
 * Starts a consortium: content stores and the channel on their runtime, then centers and outlets.
 *
 * @throws WaymarkError `program-missing` when the runtime's programs are not there; `configuration-invalid` when the folder was made
 *   with another runtime
 */
export async function startConsortium(options: ConsortiumOptions): Promise<Consortium> {
  const { topology, dataDir, onProgress = () => undefined, additionalChaincodes = [] } = options;
  const isDeferred = options.defer ?? (() => false);
  const runtime = options.runtime ?? 'embedded';
  // Before anything is written: a folder that was begun for a runtime stays with it.
  await requireRuntime(runtime);
  if (runtime === 'docker' && additionalChaincodes.length > 0) {
    throw new WaymarkError('unsupported', 'peers in containers do not reach the servers of further contracts');
  }
  const layout = layoutOf(dataDir, runtime);
  const lock = lockDataFolder(dataDir);
  const started: Started = { services: [], restarts: new Set() };
  let stopping = false;
  const stopAll = async (): Promise<void> => {
    stopping = true;
    // What is just coming back is ended with the rest.
    await Promise.allSettled(started.restarts);
    // Services first: each lets go of the channel and of its content store before they go.
    await Promise.all(started.services.map(({ process }) => process.stop()));
    await Promise.all([started.channel?.stop(), started.content?.stop()]);
    started.platform?.close();
    lock.release();
  };
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= stopAll());
  try {
    await mkdir(layout.run, { recursive: true, mode: 0o700 });
    // What is planned runs ahead of what there is while an organisation comes in.
    const state = { topology, planned: topology, ports: await planPorts(topology, layout, runtime) };
    const platform = (started.platform = await openPlatform({
      ...options,
      runtime,
      layout,
      topology: () => state.planned,
      ports: () => state.ports,
      onProgress,
    }));
    const { hosting } = platform;
    onProgress(
      runtime === 'embedded' ? 'content stores are embedded in the centers' : "starting each organisation's kubo",
    );
    const content = (started.content =
      runtime === 'embedded'
        ? embeddedContent()
        : await startKuboContent({ topology, layout, ports: () => state.ports, hosting, runner: platform.kuboRunner }));
    const planNow = (): ChannelPlan => ({ ...state, layout, hosting, additionalChaincodes, onProgress });
    const channel = (started.channel = await startChannel(runtime, planNow(), platform));
    onProgress('issuing certificates and keys');
    const contentOf = (mspId: string) => content.sectionOf(mspId);
    const provisionNow = () => provision({ ...state, layout, hosting, gateways: channel.gateways, contentOf });
    const nodes = await provisionNow();
    const [first] = topology.organisations;
    if (first !== undefined) await copyFile(layout.node(first, 'reader').profile, layout.defaultProfile);
    onProgress('starting centers and outlets, registering them on the channel');
    const settled = await Promise.allSettled([
      registerOnce({ topology, layout, gateways: channel.gateways }, nodes),
      startServices(
        servicesOf(topology).filter((service) => !isDeferred(service)),
        { hosting, ports: state.ports },
        started,
      ),
    ]);
    const failure = settled.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    const processes = (): readonly RunningProcess[] => [
      ...channel.nodes,
      ...channel.chaincodes,
      ...content.nodes,
      ...started.services.map(({ process }) => process),
    ];
    const failed = Promise.withResolvers<string>();
    const halted = new Set<RunningProcess>();
    const watch = (process: RunningProcess): void => {
      void process.exited.then(() => {
        if (!stopping && !halted.has(process)) failed.resolve(process.name);
      });
    };
    for (const process of processes()) watch(process);
    const processOf = (name: string): RunningProcess => {
      const found = processes().find((process) => process.name === name);
      if (found === undefined) throw new WaymarkError('input-invalid', `there is no process ${name}`);
      return found;
    };
    const halt = async (name: string): Promise<void> => {
      const process = processOf(name);
      halted.add(process);
      process.kill('SIGKILL');
      await process.exited;
    };
    const restart = async (name: string): Promise<void> => {
      const old = processOf(name);
      await old.exited;
      if (stopping) throw new WaymarkError('unavailable', 'the consortium is stopping');
      const restarting = startAgain(old);
      started.restarts.add(restarting);
      try {
        await restarting;
      } finally {
        started.restarts.delete(restarting);
      }
      halted.delete(old);
      watch(processOf(name));
    };
    const startAgain = async (old: RunningProcess): Promise<void> => {
      const { name } = old;
      if ((await channel.restart(name)) || (await content.restart(name))) return;
      const index = started.services.findIndex(({ process }) => process === old);
      const service = started.services[index];
      if (service === undefined) throw new WaymarkError('internal', `${name} is kept nowhere`);
      started.services[index] = { ...service, process: await hosting.startService(service) };
    };
    const { services } = started;
    let deferred: Promise<void> | undefined;
    const startRest = async (): Promise<void> => {
      await startServices(servicesOf(topology).filter(isDeferred), { hosting, ports: state.ports }, started);
      for (const { process, ...service } of services) if (isDeferred(service)) watch(process);
    };
    const startDeferred = (): Promise<void> => {
      if (deferred === undefined) {
        deferred = startRest();
        started.restarts.add(deferred);
      }
      return deferred;
    };
    return {
      runtime,
      layout,
      get topology() {
        return state.topology;
      },
      get ports() {
        return state.ports;
      },
      channel,
      content,
      services,
      processes,
      startDeferred,
      stop,
      restart,
      halt,
      failed: failed.promise,
      addOrganisation: async (organisation) => {
        const next = withOrganisation(state.topology, organisation);
        state.ports = await planPorts(next, layout, runtime);
        state.planned = next;
        onProgress(`${organisation.name}: content store`);
        await content.add(organisation);
        state.topology = next;
        await channel.extend(planNow());
        onProgress(`${organisation.name}: certificates, keys, admission`);
        const provisioned = await provisionNow();
        await admit({ topology: next, layout, gateways: channel.gateways }, organisation, provisioned);
        const isNew = (service: ServicePlan): boolean =>
          service.organisation.mspId === organisation.mspId &&
          !services.some(({ node, organisation: { mspId } }) => node === service.node && mspId === organisation.mspId);
        onProgress(`${organisation.name}: center and outlets`);
        await startServices(servicesOf(next).filter(isNew), { hosting, ports: state.ports }, started);
        onProgress(`${organisation.name}: a record of its own goes through`);
        await testOrganisation(layout, organisation);
      },
      upgradeChaincode: async (version) => {
        const { chaincode } = state.topology;
        if (chaincode.version === version) return;
        const next = { ...state.topology, chaincode: { ...chaincode, version, sequence: chaincode.sequence + 1 } };
        state.ports = await planPorts(next, layout, runtime);
        await channel.extend({ ...planNow(), topology: next });
        state.topology = next;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What runs already, for whoever has to end it. */
interface Started {
  readonly services: RunningService[];
  /** Restarts under way. */
  readonly restarts: Set<Promise<void>>;
  platform?: Platform;
  channel?: RunningChannel;
  content?: RunningContent;
}

function startChannel(
  runtime: Runtime,
  plan: ChannelPlan,
  { fabricRunner, blockBytesIn }: Platform,
): Promise<RunningChannel> {
  if (runtime === 'embedded') return startEmbeddedChannel(plan);
  return startFabricChannel(plan, { runtime, runner: fabricRunner, blockBytesIn });
}

/** Waits for all of them, so that none is left behind when one fails. */
async function startServices(
  plans: readonly ServicePlan[],
  { hosting, ports }: { readonly hosting: Hosting; readonly ports: PortPlan },
  started: Started,
): Promise<void> {
  const settled = await Promise.allSettled(
    plans.map(async (plan): Promise<RunningService> => {
      const process = await hosting.startService(plan);
      const own = ports.services[serviceName(plan.organisation, plan.node)];
      return {
        ...plan,
        process,
        operationsUrl: `http://127.0.0.1:${own?.operationsPort ?? 0}`,
        apiUrl: `https://127.0.0.1:${own?.apiPort ?? 0}`,
      };
    }),
  );
  started.services.push(...settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
  const failure = settled.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

async function registerOnce(place: Register, nodes: readonly ProvisionedNode[]): Promise<void> {
  const { registeredFile } = place.layout;
  if (existsSync(registeredFile)) return;
  await register(place, nodes);
  await writeWhole(registeredFile, `${JSON.stringify({ at: new Date().toISOString() })}\n`);
}
