import type { BatchSize } from '../config/genesis.ts';

/** One message to be ordered, with the size that block cutting counts: payload and signature. */
export interface OrderedMessage {
  readonly envelopeBytes: Uint8Array;
  readonly sizeBytes: number;
}

export type Batch = readonly OrderedMessage[];

/** Batches that are ready, and whether messages are left waiting for more or for the timer. */
export interface CutResult {
  readonly batches: readonly Batch[];
  readonly pending: boolean;
}

/**
 * Gathers messages into batches (orderer/common/blockcutter/blockcutter.go): a batch is cut when it has the most messages, when
 * the next message would take it over the preferred size, and around a message that is larger than that by itself. The timer
 * is the caller's.
 */
export class BlockCutter {
  readonly #batchSize: () => BatchSize;
  #pending: OrderedMessage[] = [];
  #pendingBytes = 0;

  /** `batchSize` is asked at every message, because the configuration can change. */
  constructor(batchSize: () => BatchSize) {
    this.#batchSize = batchSize;
  }

  add(message: OrderedMessage): CutResult {
    const { maxMessageCount, preferredMaxBytes } = this.#batchSize();
    if (message.sizeBytes > preferredMaxBytes) {
      return { batches: [...this.#cutIfPending(), [message]], pending: false };
    }
    const batches = this.#pendingBytes + message.sizeBytes > preferredMaxBytes ? this.#cutIfPending() : [];
    this.#pending.push(message);
    this.#pendingBytes += message.sizeBytes;
    if (this.#pending.length < maxMessageCount) return { batches, pending: true };
    return { batches: [...batches, this.cut()], pending: false };
  }

  /** What is waiting, possibly nothing. */
  cut(): Batch {
    const batch = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    return batch;
  }

  #cutIfPending(): Batch[] {
    return this.#pending.length === 0 ? [] : [this.cut()];
  }
}
