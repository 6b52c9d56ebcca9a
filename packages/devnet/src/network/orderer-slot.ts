import type { common } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/index.ts';
import { DevnetError } from '../errors.ts';
import type { BroadcastResult, GatewayOrderer } from '../gateway/gateway-context.ts';
import { openOrderingService, type OpenOrderingServiceParams, type OrderingService } from '../orderer/index.ts';
import type { SigningIdentity } from '../msp/msp.ts';
import { connectionRefused } from './connection-errors.ts';
import type { DevnetEmitter } from './events.ts';
import type { NodeMembership } from './membership.ts';
import { NodeFaults } from './node-faults.ts';
import { createOrdererNode, type OrdererNode, type OrdererNodeParams } from './orderer-node.ts';

/** The chain as peers follow it: it goes on when the orderer comes back. */
export interface OrderedBlocks {
  /** Durable blocks from a number on, until the signal or the end of the network. */
  blocks(from: bigint, signal: AbortSignal): AsyncGenerator<common.Block, void, undefined>;
}

export interface OrdererSlotParams {
  readonly ordering: Omit<OpenOrderingServiceParams, 'faults'>;
  readonly node: Omit<OrdererNodeParams, 'ordering'>;
  readonly events: DevnetEmitter;
}

/**
 * The orderer of the network, which may go down and come up again. One that cannot write a block goes down by itself, as
 * Fabric's does (orderer/common/multichannel/blockwriter.go panics).
 */
export class OrdererSlot implements OrderedBlocks {
  readonly faults: NodeFaults;
  readonly #params: OrdererSlotParams;
  #ordering: OrderingService;
  #node: OrdererNode;
  #state: 'up' | 'down' | 'closed' = 'up';
  #stopping: Promise<void> | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(params: OrdererSlotParams, faults: NodeFaults, ordering: OrderingService) {
    this.#params = params;
    this.faults = faults;
    this.#ordering = ordering;
    this.#node = createOrdererNode({ ...params.node, ordering });
    this.#watch(ordering);
  }

  /** Opens the chain; `listen` opens the endpoint. Throws as `openOrderingService` does. */
  static async open(params: OrdererSlotParams): Promise<OrdererSlot> {
    const faults = new NodeFaults();
    return new OrdererSlot(params, faults, await openOrderingService({ ...params.ordering, faults }));
  }

  get mspId(): string {
    return this.#node.mspId;
  }

  get hostName(): string {
    return this.#node.hostName;
  }

  get address(): string {
    return this.#node.address;
  }

  get membership(): NodeMembership {
    return this.#node.membership;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Number of durable blocks, also while it is down. */
  get height(): bigint {
    return this.#ordering.height;
  }

  /** The newest configuration, also while it is down. */
  get channelConfig(): ChannelConfig {
    return this.#ordering.channelConfig;
  }

  /** As gateways see it. */
  get client(): GatewayOrderer {
    const { address, mspId } = this;
    return {
      address,
      mspId,
      broadcast: (envelope) =>
        this.isUp ? this.#ordering.broadcast(envelope) : Promise.reject(new Error(connectionRefused(address))),
    };
  }

  /** Opens the endpoint. Throws DevnetError ADDRESS_IN_USE. */
  listen(): Promise<void> {
    return this.#node.listen();
  }

  /** Within the process, without the endpoint. */
  broadcast(envelope: common.Envelope): Promise<BroadcastResult> {
    return this.#ordering.broadcast(envelope);
  }

  updateConfig(change: (config: common.Config) => void, signers: readonly SigningIdentity[]): Promise<common.Block> {
    return this.#ordering.updateConfig(change, signers);
  }

  async *blocks(from: bigint, signal: AbortSignal): AsyncGenerator<common.Block, void, undefined> {
    let next = from;
    while (!signal.aborted && !this.#isClosed()) {
      const ordering = this.#ordering;
      try {
        for await (const block of ordering.blocks(next, signal)) {
          next++;
          yield block;
        }
      } catch (error) {
        // Its files are closed under the reader when it goes down.
        if (this.isUp && ordering === this.#ordering) throw error;
      }
      if (ordering === this.#ordering && !this.#isClosed()) await this.#nextChange(signal);
    }
  }

  /** Goes down as a killed process does: what it had accepted but not written is lost. */
  stop(): Promise<void> {
    if (this.#state === 'up') this.#state = 'down';
    return (this.#stopping ??= this.#close(true));
  }

  /** Comes up after a stop, with what its chain holds. */
  async restart(): Promise<void> {
    await this.#stopping;
    if (this.#state !== 'down') throw new DevnetError('LEDGER_CLOSED', 'the network was stopped');
    this.faults.start();
    const ordering = await openOrderingService({ ...this.#params.ordering, faults: this.faults });
    const node = createOrdererNode({ ...this.#params.node, ordering });
    try {
      await node.listen();
    } catch (error) {
      await ordering.close();
      throw error;
    }
    this.#ordering = ordering;
    this.#node = node;
    this.#stopping = undefined;
    this.#state = 'up';
    this.#watch(ordering);
    this.#wake();
  }

  closeEndpoint(): Promise<void> {
    return this.#node.close();
  }

  /** Writes what it had accepted, then ends, for good. */
  async close(): Promise<void> {
    await (this.#stopping ??= this.#close(false));
    this.#state = 'closed';
    this.#wake();
  }

  async #close(abandon: boolean): Promise<void> {
    if (abandon) this.faults.stop();
    await this.#node.close();
    if (abandon) await this.#ordering.abandon();
    else await this.#ordering.close();
  }

  #watch(ordering: OrderingService): void {
    void ordering.failed.then((error) => {
      if (this.#ordering !== ordering || !this.isUp) return;
      this.stop().catch(() => undefined);
      this.#params.events.emit('ordererFailed', { orderer: this.hostName, error });
    });
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
