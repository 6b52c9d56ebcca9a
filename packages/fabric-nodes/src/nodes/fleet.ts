import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { stringify } from 'yaml';
import { untilServing } from './health.ts';
import type { PlannedNode } from './planned-nodes.ts';
import type { NodeLaunch, NodeProcess, NodeRunner } from './runner.ts';

/** The nodes of a network that run or have run, whatever runs them. */
export interface Fleet {
  /** By host name. One that has ended stays until it is started again. */
  readonly processes: ReadonlyMap<string, NodeProcess>;
  isRunning(hostName: string): boolean;
  /**
   * Writes the nodes' configuration and starts them; resolves when all serve. Those that run are left alone.
   *
   * @throws WaymarkError `unavailable` once all have started or failed and one has failed
   */
  start(nodes: readonly PlannedNode[]): Promise<void>;
  /** Starts a node again that has ended; waits for its end first. */
  restart(hostName: string): Promise<void>;
  stop(): Promise<void>;
}

/** @param dataDir nodes get their data folders below `data/` */
export function createFleet(runner: NodeRunner, dataDir: string, loggingSpec: string): Fleet {
  const processes = new Map<string, NodeProcess>();
  const known = new Map<string, PlannedNode>();
  const running = new Set<NodeProcess>();

  const startNode = async (node: PlannedNode): Promise<void> => {
    const { member, ports } = node;
    const { kind, hostName, mspId, dir: nodeDir } = member;
    known.set(hostName, node);
    const launch: NodeLaunch = {
      kind,
      hostName,
      mspId,
      nodeDir,
      dataDir: join(dataDir, 'data', hostName),
      ports,
      loggingSpec,
    };
    // Peers make all of their folders but this one.
    await mkdir(join(launch.dataDir, 'snapshots'), { recursive: true, mode: 0o700 });
    const config = node.config(runner.paths(launch), runner.fabricVersion);
    await writeFile(join(nodeDir, node.configFile), stringify(config));
    const process = await runner.start(launch);
    processes.set(hostName, process);
    running.add(process);
    const end = () => running.delete(process);
    process.exited.then(end, end);
    await untilServing(process, launch);
  };

  const isRunning = (hostName: string): boolean => {
    const process = processes.get(hostName);
    return process !== undefined && running.has(process);
  };

  return {
    processes,
    isRunning,
    start: async (nodes) => {
      const missing = nodes.filter(({ member }) => !isRunning(member.hostName));
      const started = await Promise.allSettled(missing.map(startNode));
      // All have either started or failed by now, so that none is left behind when one fails.
      const failed = started.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    restart: async (hostName) => {
      const node = known.get(hostName);
      if (node === undefined) throw new WaymarkError('input-invalid', `there is no node ${hostName}`);
      await processes.get(hostName)?.exited;
      await startNode(node);
    },
    stop: async () => {
      await Promise.all([...processes.values()].map((process) => process.stop()));
    },
  };
}
