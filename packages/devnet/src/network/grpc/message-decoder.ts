import type { Holder, MemoryBudget } from './memory-budget.ts';

const HEAD_BYTES = 5;
const FIRST_CAPACITY_BYTES = 16 * 1024;

export interface MessageDecoderParams {
  readonly maxMessageBytes: number;
  readonly budget: MemoryBudget;
  /** Ends the call: others need the memory that its unfinished message takes. */
  readonly cut: () => void;
}

/**
 * Puts gRPC messages together from the frames of one call. A message takes memory as it arrives, not as it is announced, and no
 * more than its bytes however small its frames are; what it takes is counted in a budget that all calls share.
 */
export class MessageDecoder {
  readonly #params: MessageDecoderParams;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headLength = 0;
  /** Head and content of the message that is arriving. */
  #message = Buffer.alloc(0);
  #length = 0;
  #wanted = 0;
  #arriving: Holder | undefined;
  #complete: Holder | undefined;

  constructor(params: MessageDecoderParams) {
    this.#params = params;
  }

  /** The messages that are complete with this frame, heads included. Throws an Error with the text of the status. */
  write(data: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < data.length) {
      if (this.#headLength < HEAD_BYTES) {
        at += this.#takeHead(data, at);
        if (this.#headLength < HEAD_BYTES) break;
      }
      const count = Math.min(this.#wanted - this.#length, data.length - at);
      this.#grow(this.#length + count);
      data.copy(this.#message, this.#length, at, at + count);
      this.#length += count;
      at += count;
      if (this.#length === this.#wanted) messages.push(this.#finish());
    }
    return messages;
  }

  /** The call is over. */
  release(): void {
    this.#params.budget.release(this.#arriving);
    this.#params.budget.release(this.#complete);
    this.#arriving = undefined;
    this.#complete = undefined;
    this.#message = Buffer.alloc(0);
  }

  #takeHead(data: Buffer, at: number): number {
    const count = Math.min(HEAD_BYTES - this.#headLength, data.length - at);
    data.copy(this.#head, this.#headLength, at, at + count);
    this.#headLength += count;
    if (this.#headLength === HEAD_BYTES) {
      const contentBytes = this.#head.readUInt32BE(1);
      const { maxMessageBytes } = this.#params;
      if (contentBytes > maxMessageBytes) {
        throw new Error(`grpc: received message larger than max (${contentBytes} vs. ${maxMessageBytes})`);
      }
      this.#wanted = HEAD_BYTES + contentBytes;
      this.#message = Buffer.allocUnsafe(Math.min(this.#wanted, FIRST_CAPACITY_BYTES));
      this.#head.copy(this.#message);
      this.#length = HEAD_BYTES;
    }
    return count;
  }

  #grow(neededBytes: number): void {
    const { budget, cut } = this.#params;
    const heldBytes = this.#arriving?.heldBytes ?? 0;
    if (neededBytes > this.#message.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#wanted, Math.max(neededBytes, this.#message.length * 2)));
      this.#message.copy(larger, 0, 0, this.#length);
      this.#message = larger;
    }
    const added = this.#message.length - heldBytes;
    if (added <= 0) return;
    this.#arriving = budget.hold(this.#arriving, added, cut);
    if (this.#arriving === undefined)
      throw new Error('grpc: the memory for messages that are being received is used up');
  }

  /** A message is counted until the next one of its call is complete, or the call is over. */
  #finish(): Buffer {
    const { budget } = this.#params;
    const message = this.#message;
    budget.release(this.#complete);
    this.#complete = budget.hold(this.#arriving, 0);
    this.#arriving = undefined;
    this.#message = Buffer.alloc(0);
    this.#headLength = 0;
    return message;
  }
}
