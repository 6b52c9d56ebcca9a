import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { type KuboNodeFiles, writeKuboFiles } from './files/node-files.ts';
import { KuboRpc } from './nodes/rpc.ts';
import { type KuboRunner, type NodeExit, type NodeProcess, processRunner } from './nodes/runner.ts';
import type { KuboNodePlan, SwarmPeer } from './plan.ts';
import { requireSupported } from './programs/program.ts';

/** What opens the RPC API; fits the `authorization` of `openKuboStore`. */
export interface KuboAuthorization {
  readonly scheme: 'bearer';
  readonly secretFile: string;
}

/** A daemon that was started. */
export interface KuboNode {
  readonly hostName: string;
  /** As the daemon says it. */
  readonly version: string;
  /** How other members name and reach this one: what goes into their `peers`. */
  readonly self: SwarmPeer;
  readonly files: KuboNodeFiles;
  /** The repository, where a process runs it. */
  readonly repositoryDir: string;
  /** RPC API as the operator's own machine reaches it. */
  readonly apiUrl: string;
  readonly authorization: KuboAuthorization;
  /** Present when the plan has a gateway port. */
  readonly gatewayUrl?: string | undefined;
  readonly pid: number;
  /** Of the process that runs now. */
  readonly exited: Promise<NodeExit>;
  /** Peer ids of the members there is a connection to. */
  connectedPeers(): Promise<readonly string[]>;
  /**
   * Members this one keeps connections with from now on; applied at once when it runs, and kept for later starts. A
   * member that is left out is disconnected.
   */
  setPeers(peers: readonly SwarmPeer[]): Promise<void>;
  /**
   * Dials every peer now instead of when kubo's own back-off says so.
   * @returns those that did not answer; kubo goes on dialling them
   */
  reconnect(): Promise<readonly SwarmPeer[]>;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Stops it if it runs, and starts it again from its files. */
  restart(): Promise<void>;
}

const readyTimeoutMs = 60_000;
const pollMs = 50;
const localHost = '127.0.0.1';

/**
 * Writes a node's files, starts its daemon and waits until it answers. Starting again goes on from what is there, also
 * after the daemon was killed.
 *
 * @param runner what runs it; default: a process of this machine
 * @throws WaymarkError `program-missing`, `unsupported` (kubo too old), `configuration-invalid`, `unavailable` with the
 *   last line of its log when it ends or does not answer within 60 s
 */
export async function startKuboNode(
  plan: KuboNodePlan,
  runner: KuboRunner = processRunner({ programsDir: plan.programsDir }),
): Promise<KuboNode> {
  const node = new Node(plan, await writeKuboFiles(plan), runner);
  await node.start();
  return node;
}

class Node implements KuboNode {
  readonly #plan: KuboNodePlan;
  readonly #runner: KuboRunner;
  readonly #rpc: KuboRpc;
  #files: KuboNodeFiles;
  #process: NodeProcess | undefined;
  #gone = true;
  #version = '';

  constructor(plan: KuboNodePlan, files: KuboNodeFiles, runner: KuboRunner) {
    this.#plan = plan;
    this.#files = files;
    this.#runner = runner;
    this.#rpc = new KuboRpc(this.apiUrl, files.secretFile);
  }

  get hostName(): string {
    return this.#plan.hostName;
  }

  get version(): string {
    return this.#version;
  }

  get self(): SwarmPeer {
    return this.#files.self;
  }

  get files(): KuboNodeFiles {
    return this.#files;
  }

  get repositoryDir(): string {
    return join(this.#plan.folder, 'data', 'repository');
  }

  get apiUrl(): string {
    return `http://${localHost}:${this.#plan.apiPort}`;
  }

  get authorization(): KuboAuthorization {
    return { scheme: 'bearer', secretFile: this.#files.secretFile };
  }

  get gatewayUrl(): string | undefined {
    return this.#plan.gatewayPort === undefined ? undefined : `http://${localHost}:${this.#plan.gatewayPort}`;
  }

  get pid(): number {
    return this.#running().pid;
  }

  get exited(): Promise<NodeExit> {
    return this.#running().exited;
  }

  async start(): Promise<void> {
    const { hostName, folder, swarmPort, apiPort, gatewayPort } = this.#plan;
    const started = await this.#runner.start({
      name: hostName,
      nodeDir: this.#files.nodeDir,
      dataDir: join(folder, 'data'),
      runDir: join(folder, 'run'),
      swarmPort,
      apiPort,
      gatewayPort,
    });
    this.#process = started;
    this.#gone = false;
    const gone = (): void => {
      if (this.#process === started) this.#gone = true;
    };
    started.exited.then(gone, gone);
    try {
      await this.#untilReady(started);
    } catch (cause) {
      const words = await started.lastWords();
      await started.stop().catch(() => undefined);
      if (isWaymarkError(cause)) throw cause;
      throw new WaymarkError('unavailable', `${hostName} did not start: ${words}`, { cause });
    }
    // kubo itself waits five seconds before it dials; members that are away are no fault here.
    if (this.#plan.offline !== true) void this.reconnect();
  }

  connectedPeers(): Promise<readonly string[]> {
    return this.#rpc.connected();
  }

  async setPeers(peers: readonly SwarmPeer[]): Promise<void> {
    this.#files = await writeKuboFiles({ ...this.#plan, peers });
    if (this.#gone) return;
    const wanted = new Set(this.#files.peers.map(({ peerId }) => peerId));
    for (const peerId of await this.#rpc.peered()) {
      if (wanted.has(peerId)) continue;
      await this.#rpc.removePeering(peerId);
      await this.#rpc.disconnect(peerId).catch(() => undefined); // it need not be connected
    }
    for (const peer of this.#files.peers) await this.#rpc.addPeering(dialled(peer));
    void this.reconnect();
  }

  async reconnect(): Promise<readonly SwarmPeer[]> {
    const { peers } = this.#files;
    const outcomes = await Promise.allSettled(peers.map((peer) => this.#rpc.connect(dialled(peer))));
    return peers.filter((_peer, at) => outcomes[at]?.status === 'rejected');
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  kill(signal: NodeJS.Signals): void {
    this.#running().kill(signal);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #running(): NodeProcess {
    if (this.#process !== undefined) return this.#process;
    throw new WaymarkError('unavailable', `${this.hostName} was not started`);
  }

  async #untilReady(started: NodeProcess): Promise<void> {
    const deadline = Date.now() + readyTimeoutMs;
    let exit: NodeExit | undefined;
    started.exited.then(
      (how) => (exit = how),
      () => (exit = { code: null, signal: null }),
    );
    let last: unknown;
    while (Date.now() < deadline) {
      if (exit !== undefined) throw new Error('the daemon has ended', { cause: last });
      try {
        await this.#requireOwn();
        return;
      } catch (fault) {
        if (!isWaymarkError(fault, 'unavailable')) throw fault;
        last = fault;
      }
      await delay(pollMs);
    }
    throw new Error('its API did not answer in time', { cause: last });
  }

  /** Another daemon on the port would answer as well, but not with this one's name. */
  async #requireOwn(): Promise<void> {
    const peerId = await this.#rpc.peerId();
    if (peerId !== this.self.peerId) {
      throw new WaymarkError('configuration-invalid', 'Another kubo answers on the port of the API.', {
        details: { port: this.#plan.apiPort },
      });
    }
    this.#version = await this.#rpc.version();
    requireSupported(this.#version);
  }
}

function dialled({ peerId, address }: SwarmPeer): string {
  return `${address}/p2p/${peerId}`;
}
