import { findFabricPrograms, type NodeRunner } from '@waymark/fabric-nodes';
import { findKuboProgram, type KuboRunner } from '@waymark/kubo-nodes';
import { isWaymarkError } from '@waymark/protocol';
import { startDockerRuntime } from './docker/docker-runtime.ts';
import { findEngine } from './docker/engine.ts';
import type { Hosting } from './hosting/hosting.ts';
import { localHosting } from './hosting/local.ts';
import type { Layout, PortPlan } from './layout.ts';
import type { Runtime } from './runtime.ts';
import type { Topology } from './topology.ts';

/** What the parts of a network run on. */
export interface Platform {
  readonly hosting: Hosting;
  /** Undefined: processes of this machine. */
  readonly fabricRunner?: NodeRunner | undefined;
  readonly kuboRunner?: KuboRunner | undefined;
  /** Bytes of the block files in a folder of a peer's data, where that is not on this machine's disk. */
  readonly blockBytesIn?: ((hostName: string, folder: string) => Promise<number>) | undefined;
  /** Ends nothing that runs. */
  close(): void;
}

/** What a platform is made for. */
export interface PlatformPlan {
  readonly runtime: Runtime;
  readonly layout: Layout;
  /** As they are now: a network may grow while it runs. */
  readonly topology: () => Topology;
  readonly ports: () => PortPlan;
  /** Where the built chaincode lies. */
  readonly chaincodeFolder: string;
  /** Docker only: exact version of Fabric's images. */
  readonly fabricVersion?: string | undefined;
  /** Docker only: address of this machine on which users' ports are published. Default 127.0.0.1. */
  readonly publish?: string | undefined;
  readonly onProgress: (step: string) => void;
}

/**
 * Looks whether what a runtime needs is there, before anything is made.
 *
 * @throws WaymarkError `program-missing`, saying in one line what is to be installed or started
 */
export async function requireRuntime(runtime: Runtime): Promise<void> {
  if (runtime === 'native') await Promise.all([findFabricPrograms(), findKuboProgram()]);
  if (runtime === 'docker') await findEngine();
}

/** What a runtime misses on this machine, in one line; undefined when it can be had. */
export async function findRuntimeProblem(runtime: Runtime): Promise<string | undefined> {
  try {
    await requireRuntime(runtime);
    return undefined;
  } catch (error) {
    if (isWaymarkError(error)) return error.message;
    throw error;
  }
}

/** @throws WaymarkError `program-missing`, `unavailable` */
export async function openPlatform(plan: PlatformPlan): Promise<Platform> {
  const { runtime, layout, chaincodeFolder } = plan;
  if (runtime === 'docker') return startDockerRuntime({ ...plan, engine: await findEngine() });
  return { hosting: localHosting(layout, chaincodeFolder), close: () => undefined };
}
