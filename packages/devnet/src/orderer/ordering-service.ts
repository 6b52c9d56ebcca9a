import { common } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../block/hashes.ts';
import { createTimestamp } from '../block/timestamp.ts';
import { applyUpdate } from '../config/apply-update.ts';
import { parseConfigBlock, type ChannelConfig } from '../config/channel-config.ts';
import { consensusOf } from '../config/consensus.ts';
import { computeUpdate } from '../config/compute-update.ts';
import { signUpdate } from '../config/sign-update.ts';
import { DevnetError, messageOf } from '../errors.ts';
import type { LedgerFaults } from '../ledger/faults.ts';
import type { SigningIdentity } from '../msp/msp.ts';
import { BlockCutter, type Batch } from './block-cutter.ts';
import { OrdererBlockStore } from './block-store.ts';
import { createBlock, createSignatureHeader, lastConfigNumber } from './block-writer.ts';
import { filterMessage, type BroadcastResult } from './broadcast-filter.ts';
import { SYSTEM_TIME, type OrdererTime } from './orderer-time.ts';

/** So many cut batches may wait for the disk; then broadcasts wait too. */
const MAX_QUEUED_BATCHES = 8;

export interface OpenOrderingServiceParams {
  /** The orderer's folder; made when absent. */
  readonly dir: string;
  readonly genesisBlock: common.Block;
  /** An identity of an orderer organisation with the role orderer. */
  readonly signer: SigningIdentity;
  readonly time?: OrdererTime;
  readonly faults?: LedgerFaults;
}

/**
 * Orders the messages of one channel into signed blocks. As in Fabric, SUCCESS says that a message was accepted, not that it is
 * in a block: what was accepted but not yet cut is lost with the process, and its sender sees no commit status.
 */
export interface OrderingService {
  readonly channelId: string;
  /** Number of durable blocks. */
  readonly height: bigint;
  readonly channelConfig: ChannelConfig;
  /** Accepts or refuses a message; waits while the disk is behind. */
  broadcast(envelope: common.Envelope): Promise<BroadcastResult>;
  /** Durable blocks from a number on, waiting for new ones until the signal or the service ends it. */
  blocks(from: bigint, signal?: AbortSignal): AsyncGenerator<common.Block, void, undefined>;
  getBlock(number: bigint): Promise<common.Block | undefined>;
  /**
   * Changes the configuration: `change` edits a copy, `signers` agree to it, the first of them sends it. Resolves with the block
   * of the new configuration. Throws DevnetError CONFIG_INVALID and the like if it is wrong, or if they may not do it.
   */
  updateConfig(change: (config: common.Config) => void, signers: readonly SigningIdentity[]): Promise<common.Block>;
  /** Resolves when a block could not be written: from then on the service takes and writes nothing. */
  readonly failed: Promise<DevnetError>;
  /** Cuts what is waiting, then stops. */
  close(): Promise<void>;
  /** Stops as a process that is killed: what was accepted but is in no block is lost. */
  abandon(): Promise<void>;
}

/** Opens an orderer's chain. Throws DevnetError LEDGER_LOCKED, LEDGER_CORRUPT, CONFIG_INVALID (another channel's folder), UNSUPPORTED (BFT). */
export async function openOrderingService(params: OpenOrderingServiceParams): Promise<OrderingService> {
  const store = await OrdererBlockStore.open(params.dir, params.faults);
  try {
    const header = params.genesisBlock.getHeader();
    if (header === undefined) throw new DevnetError('CONFIG_INVALID', 'the genesis block has no header');
    if (store.height === 0n) await store.append(params.genesisBlock);
    if (Buffer.compare(headerHash(headerFieldsOf(header)), store.hashOf(0n) ?? new Uint8Array()) !== 0) {
      throw new DevnetError('CONFIG_INVALID', "the folder holds another channel's chain");
    }
    const newest = await store.read(store.height - 1n);
    const configNumber = newest === undefined ? 0n : lastConfigNumber(newest);
    const configBlock = (await store.read(configNumber)) ?? params.genesisBlock;
    const config = parseConfigBlock(configBlock);
    if (consensusOf(config.config).type === 'bft') {
      throw new DevnetError('UNSUPPORTED', 'devnet has one orderer and cannot order a BFT channel');
    }
    return new SingleOrderer(store, params.signer, params.time ?? SYSTEM_TIME, config, configNumber);
  } catch (error) {
    await store.close();
    throw error;
  }
}

class SingleOrderer implements OrderingService {
  readonly #store: OrdererBlockStore;
  readonly #signer: SigningIdentity;
  readonly #time: OrdererTime;
  readonly #cutter: BlockCutter;
  #config: ChannelConfig;
  #lastConfigNumber: bigint;
  #stopTimer: (() => void) | undefined;
  /** Blocks are written one after the other. */
  #tail: Promise<void> = Promise.resolve();
  #queuedBatches = 0;
  #failure: DevnetError | undefined;
  readonly failed: Promise<DevnetError>;
  #tellFailure: (failure: DevnetError) => void = () => undefined;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(
    store: OrdererBlockStore,
    signer: SigningIdentity,
    time: OrdererTime,
    config: ChannelConfig,
    configNumber: bigint,
  ) {
    this.#store = store;
    this.#signer = signer;
    this.#time = time;
    this.#config = config;
    this.#lastConfigNumber = configNumber;
    this.#cutter = new BlockCutter(() => this.#config.batchSize);
    this.failed = new Promise((resolve) => {
      this.#tellFailure = resolve;
    });
  }

  get channelId(): string {
    return this.#config.channelId;
  }

  get height(): bigint {
    return this.#store.height;
  }

  get channelConfig(): ChannelConfig {
    return this.#config;
  }

  async broadcast(envelope: common.Envelope): Promise<BroadcastResult> {
    if (this.#closed || this.#failure !== undefined) return unavailable(this.#failure);
    const filtered = filterMessage(envelope, this.#config, this.#time.nowMs());
    if ('refusal' in filtered) return filtered.refusal;
    if ('isConfigUpdate' in filtered) return this.#configure(envelope);
    while (this.#queuedBatches >= MAX_QUEUED_BATCHES) await this.#tail;
    // The wait above may have seen the end of the service.
    const failure = this.#stopReason();
    if (failure !== undefined) return failure;
    const { batches, pending } = this.#cutter.add(filtered.message);
    if (batches.length > 0) this.#clearTimer();
    for (const batch of batches) this.#enqueue(batch);
    if (pending) this.#stopTimer ??= this.#time.startTimer(this.#config.batchTimeoutMs, () => this.#onTimer());
    return { status: common.Status.SUCCESS, info: '' };
  }

  async *blocks(from: bigint, signal?: AbortSignal): AsyncGenerator<common.Block, void, undefined> {
    let next = from;
    while (signal?.aborted !== true) {
      const block = next < this.height ? await this.#store.read(next) : undefined;
      if (block !== undefined) {
        next++;
        yield block;
      } else if (this.#closed || this.#failure !== undefined) {
        return;
      } else {
        await this.#nextChange(signal);
      }
    }
  }

  async getBlock(number: bigint): Promise<common.Block | undefined> {
    return number < 0n || number >= this.height ? undefined : this.#store.read(number);
  }

  async updateConfig(
    change: (config: common.Config) => void,
    signers: readonly SigningIdentity[],
  ): Promise<common.Block> {
    const changed = this.#config.config.clone();
    change(changed);
    if (this.#closed) throw new DevnetError('LEDGER_CLOSED', 'the orderer is down');
    if (this.#failure !== undefined) throw this.#failure;
    const original = this.#config.config.getChannelGroup() ?? new common.ConfigGroup();
    const update = computeUpdate(this.channelId, original, changed.getChannelGroup() ?? new common.ConfigGroup());
    if (update === undefined) throw new DevnetError('CONFIG_INVALID', 'the configuration is already like that');
    const envelope = signUpdate(update, signers, this.#time.nowMs());
    let next: ChannelConfig;
    try {
      next = applyUpdate(this.#config, envelope);
    } catch (cause) {
      if (cause instanceof DevnetError) throw cause;
      throw new DevnetError('CONFIG_INVALID', messageOf(cause), { cause });
    }
    return this.#reconfigure(next, envelope);
  }

  /** A CONFIG_UPDATE from a client: SUCCESS says that its block will be written. */
  #configure(envelope: common.Envelope): BroadcastResult {
    let next: ChannelConfig;
    try {
      next = applyUpdate(this.#config, envelope);
    } catch (error) {
      const info = `error applying config update to existing channel '${this.channelId}': ${messageOf(error)}`;
      return { status: common.Status.BAD_REQUEST, info };
    }
    // What becomes of the block is told by the blocks that follow it, or by the end of the service.
    this.#reconfigure(next, envelope).catch(() => undefined);
    return { status: common.Status.SUCCESS, info: '' };
  }

  /** What was accepted under the old configuration goes before the block with the new one. */
  #reconfigure(next: ChannelConfig, lastUpdate: common.Envelope): Promise<common.Block> {
    this.#clearTimer();
    this.#enqueue(this.#cutter.cut());
    const written = this.#tail.then(() => {
      this.#lastConfigNumber = this.height;
      return this.#write([this.#configTransaction(next.config, lastUpdate)]);
    });
    this.#config = next;
    this.#track(written.then(() => undefined));
    return written;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#clearTimer();
    this.#enqueue(this.#cutter.cut());
    await this.#tail;
    this.#closed = true;
    this.#wake();
    await this.#store.close();
  }

  async abandon(): Promise<void> {
    this.#cutter.cut();
    await this.close();
  }

  #onTimer(): void {
    this.#stopTimer = undefined;
    this.#enqueue(this.#cutter.cut());
  }

  #clearTimer(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #enqueue(batch: Batch): void {
    if (batch.length === 0) return;
    this.#queuedBatches++;
    const written = this.#tail.then(async () => {
      try {
        await this.#write(batch.map(({ envelopeBytes }) => envelopeBytes));
      } finally {
        this.#queuedBatches--;
      }
    });
    this.#track(written);
  }

  /** After a failed write nothing more is ordered: what the disk holds is known only after a restart. */
  #track(written: Promise<void>): void {
    this.#tail = written.catch((cause: unknown) => {
      this.#failure ??= new DevnetError('LEDGER_CLOSED', 'the orderer could not write a block', { cause });
      this.#clearTimer();
      this.#tellFailure(this.#failure);
      this.#wake();
    });
  }

  async #write(envelopes: readonly Uint8Array[]): Promise<common.Block> {
    if (this.#failure !== undefined) throw this.#failure;
    const number = this.height;
    const block = createBlock(
      {
        number,
        previousHash: this.#store.hashOf(number - 1n) ?? new Uint8Array(),
        envelopes,
        lastConfigNumber: this.#lastConfigNumber,
      },
      this.#signer,
    );
    await this.#store.append(block);
    this.#wake();
    return block;
  }

  /** A CONFIG transaction signed by the orderer, as Fabric's orderer makes of an accepted update. */
  #configTransaction(config: common.Config, lastUpdate: common.Envelope): Uint8Array {
    const channelHeader = new common.ChannelHeader();
    channelHeader.setType(common.HeaderType.CONFIG);
    channelHeader.setChannelId(this.channelId);
    channelHeader.setTimestamp(createTimestamp(this.#time.nowMs()));
    const header = new common.Header();
    header.setChannelHeader(channelHeader.serializeBinary());
    header.setSignatureHeader(createSignatureHeader(this.#signer).serializeBinary());
    const configEnvelope = new common.ConfigEnvelope();
    configEnvelope.setConfig(config);
    configEnvelope.setLastUpdate(lastUpdate);
    const payload = new common.Payload();
    payload.setHeader(header);
    payload.setData(configEnvelope.serializeBinary());
    const payloadBytes = payload.serializeBinary();
    const envelope = new common.Envelope();
    envelope.setPayload(payloadBytes);
    envelope.setSignature(this.#signer.sign(payloadBytes));
    return envelope.serializeBinary();
  }

  #stopReason(): BroadcastResult | undefined {
    return this.#closed || this.#failure !== undefined ? unavailable(this.#failure) : undefined;
  }

  /** Resolves at the next block, the end of the service, or the signal. */
  #nextChange(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}

function unavailable(failure: DevnetError | undefined): BroadcastResult {
  return {
    status: common.Status.SERVICE_UNAVAILABLE,
    info: failure === undefined ? 'the orderer is shutting down' : failure.message,
  };
}
