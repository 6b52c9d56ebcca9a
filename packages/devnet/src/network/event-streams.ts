import { status } from '@grpc/grpc-js';

/** The streams of blocks and events that a peer serves: they can be cut, and kept from being opened. */
export class EventStreams {
  readonly #open = new Set<NodeJS.EventEmitter>();
  #refused = false;

  /** Puts a stream's handler under this control. */
  guard<Call extends NodeJS.EventEmitter>(handler: (call: Call) => void): (call: Call) => void {
    return (call) => {
      if (this.#refused) {
        cut(call);
        return;
      }
      this.#open.add(call);
      const forget = () => this.#open.delete(call);
      call.once('cancelled', forget);
      call.once('finish', forget);
      handler(call);
    };
  }

  /** Ends all streams with UNAVAILABLE and refuses new ones until `restore`. */
  cut(): void {
    this.#refused = true;
    for (const call of [...this.#open]) cut(call);
  }

  restore(): void {
    this.#refused = false;
  }
}

function cut(call: NodeJS.EventEmitter): void {
  const details = 'the peer drops its event streams: a fault that was asked for';
  call.emit('error', Object.assign(new Error(details), { code: status.UNAVAILABLE, details }));
  call.emit('cancelled', 'cut');
}
