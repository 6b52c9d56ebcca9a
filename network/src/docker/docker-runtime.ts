import { join } from 'node:path';
import { getgid, getuid } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeRunner } from '@waymark/fabric-nodes';
import type { KuboRunner } from '@waymark/kubo-nodes';
import { WaymarkError } from '@waymark/protocol';
import type { ChaincodeServerPlan, Hosting, ServicePlan } from '../hosting/hosting.ts';
import { type Layout, type PortPlan, serviceName } from '../layout.ts';
import type { Topology } from '../topology.ts';
import { openChaincodeServers } from './chaincode-servers.ts';
import { composeDocument, mountedFolders } from './compose-file.ts';
import { chaincodeContainer, serviceContainer } from './container-names.ts';
import type { ContainerProcess } from './container-process.ts';
import { containerUser } from './container-user.ts';
import { containerPaths } from './containers.ts';
import type { Engine } from './engine.ts';
import { buildContext, buildImages, networkImages } from './images.ts';
import { openProject } from './project.ts';
import { defaultFabricVersion } from './versions.ts';

/** What the containers of a network are made from. */
export interface DockerPlan {
  readonly engine: Engine;
  readonly layout: Layout;
  /** As they are now: a network may grow while it runs. */
  readonly topology: () => Topology;
  readonly ports: () => PortPlan;
  /** Exact version of the official images. Default: the newest that is tested. */
  readonly fabricVersion?: string | undefined;
  /** Address of this machine on which users' ports are published: gRPC and REST of the services, peers, orderers. Default 127.0.0.1. */
  readonly publish?: string | undefined;
  readonly onProgress: (step: string) => void;
}

/** Containers as what a network stands on: Fabric's nodes, kubos, chaincodes and services are started by them. */
export interface DockerRuntime {
  readonly hosting: Hosting;
  readonly fabricRunner: NodeRunner;
  readonly kuboRunner: KuboRunner;
  /** Bytes of the block files in a folder of a peer's data. */
  blockBytesIn(hostName: string, folder: string): Promise<number>;
  /** Ends following the engine. Containers that run go on. */
  close(): void;
}

const readyTimeoutMs = 90_000;
const probeTimeoutMs = 2_000;
const pollMs = 100;

/**
 * Builds the images, fetches those that are missing and writes the compose file; containers start when they are asked for.
 *
 * @throws WaymarkError `unavailable` when an image cannot be had
 */
export async function startDockerRuntime(plan: DockerPlan): Promise<DockerRuntime> {
  const { engine, layout, onProgress } = plan;
  const images = await networkImages(plan.fabricVersion);
  const owner = containerUser({ uid: getuid?.(), gid: getgid?.() }, engine.rootless);
  const servers = await openChaincodeServers(layout);
  const project = openProject(engine, layout);
  const logFile = join(layout.run, 'docker.log');

  let written = '';
  let volumes = '';
  const refreshed = async (): Promise<void> => {
    const topology = plan.topology();
    const document = composeDocument({
      project: project.name,
      topology,
      layout,
      ports: plan.ports(),
      images,
      user: owner.user,
      publish: plan.publish ?? '127.0.0.1',
      repository: buildContext,
      chaincodes: servers.of(topology),
      loggingSpec: 'warning',
    });
    // All of them, each time: a node that comes in changes files of those that run, and they may be started again.
    await owner.giveFolders(mountedFolders(document, layout));
    const text = JSON.stringify(document);
    if (text === written) return;
    await project.write(document);
    const names = Object.keys(document.volumes).join();
    if (names !== volumes) await project.prepareVolumes();
    volumes = names;
    // Last: what failed is done again.
    written = text;
  };
  let refreshing: Promise<void> = Promise.resolve();
  const refresh = (): Promise<void> => (refreshing = refreshing.catch(() => undefined).then(refreshed));

  const start = async (service: string, processName: string): Promise<ContainerProcess> => {
    await refresh();
    return project.start(service, processName);
  };

  const retired = await servers.forgetOthers(plan.topology());
  for (const { organisation, name } of retired) await project.remove(chaincodeContainer(organisation, name));

  onProgress('building images of the services and of the chaincode');
  await buildImages(engine, images, logFile);
  // Volumes need an image only, the file all that can be known by now.
  await refresh();
  onProgress('fetching images that are missing');
  await project.pull();

  const startService = async (service: ServicePlan): Promise<ContainerProcess> => {
    const { organisation, node } = service;
    const name = serviceName(organisation, node);
    const process = await start(serviceContainer(service), name);
    const port = plan.ports().services[name]?.operationsPort ?? 0;
    await untilServing(engine, process, () => isLive(port));
    return process;
  };
  const startChaincode = async (server: ChaincodeServerPlan): Promise<ContainerProcess> => {
    await servers.add(server);
    const container = chaincodeContainer(server.organisation, server.name);
    const process = await start(container, server.name);
    const takesConnections = (): Promise<boolean> =>
      project.run(container, ['node', 'chaincode-health.mjs']).then(
        () => true,
        () => false,
      );
    await untilServing(engine, process, takesConnections);
    return process;
  };

  return {
    hosting: {
      advertise: 'host-name',
      listenHost: '0.0.0.0',
      address: (hostName, port) => `${hostName}:${port}`,
      startService,
      startChaincode,
    },
    fabricRunner: {
      fabricVersion: plan.fabricVersion ?? defaultFabricVersion,
      paths: () => ({ dataDir: containerPaths.fabricData, builderDir: containerPaths.fabricBuilder }),
      start: ({ hostName }) => start(hostName, hostName),
    },
    kuboRunner: { start: ({ name }) => start(name, name) },
    blockBytesIn: async (hostName, folder) => {
      const files = `${containerPaths.fabricData}/${folder}/blockfile_*`;
      const sizes = await project.run(hostName, ['sh', '-c', `stat -c %s ${files}`]);
      return sizes
        .split('\n')
        .map(Number)
        .reduce((sum, size) => sum + size, 0);
    },
    close: () => project.close(),
  };
}

/** Waits until a container does its duty; one that the engine has to start again and again does not. */
async function untilServing(engine: Engine, process: ContainerProcess, serves: () => Promise<boolean>): Promise<void> {
  const { name, container } = process;
  const deadline = Date.now() + readyTimeoutMs;
  let reason = 'did not become ready in time';
  while (Date.now() < deadline) {
    if (await serves()) return;
    if (await hasCrashed(engine, container)) {
      reason = 'ended before it was ready';
      break;
    }
    await delay(pollMs);
  }
  const words = await process.lastWords();
  await process.stop().catch(() => undefined);
  throw new WaymarkError('unavailable', `${name} ${reason}: ${words}`, { details: { process: name } });
}

async function hasCrashed(engine: Engine, container: string): Promise<boolean> {
  const { stdout } = await engine.tryDocker(['inspect', '--format', '{{.State.Status}}', container]);
  return !/^(running|created|paused)/.test(stdout);
}

async function isLive(operationsPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${operationsPort}/healthz/live`, {
      signal: AbortSignal.timeout(probeTimeoutMs),
    });
    return response.ok;
  } catch {
    return false;
  }
}
