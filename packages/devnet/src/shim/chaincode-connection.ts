import { readProtobufStrictly } from '../protobuf/strict-reading.ts';
import type { ChaincodeEndpoint } from './chaincode-call.ts';
import { ChaincodeStream, type ChaincodeStreamHandlers } from './chaincode-stream.ts';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** A stream that was ready for less than this was of no use: the next attempt waits longer, as after a failed one. */
const USEFUL_MS = 1_000;

export interface ChaincodeConnectionParams {
  readonly endpoint: ChaincodeEndpoint;
  /** What the chaincode must register as; without it any id is accepted. */
  readonly packageId?: string;
  readonly invokeChaincode: ChaincodeStreamHandlers['invokeChaincode'];
  /** Told of each connection and each loss. */
  readonly onStateChange?: (state: ChaincodeConnectionState) => void;
}

export type ChaincodeConnectionState =
  { readonly kind: 'ready'; readonly packageId: string } | { readonly kind: 'down'; readonly reason: string };

/** Keeps one stream open to one chaincode server, as Fabric peers do to a chaincode that runs as a service. */
export interface ChaincodeConnection {
  readonly state: ChaincodeConnectionState;
  /** The stream, as soon as the chaincode is ready. Rejects after `timeoutMs` with the reason. */
  ready(timeoutMs: number): Promise<ChaincodeStream>;
  close(): void;
}

/** Dials at once and again, with growing pauses, whenever the stream is lost. */
export function connectChaincode(params: ChaincodeConnectionParams): ChaincodeConnection {
  readProtobufStrictly();
  return new ReconnectingConnection(params);
}

class ReconnectingConnection implements ChaincodeConnection {
  readonly #params: ChaincodeConnectionParams;
  readonly #waiting = new Set<(outcome: ChaincodeStream | Error) => void>();
  #stream: ChaincodeStream | undefined;
  #isReady = false;
  #retryMs = FIRST_RETRY_MS;
  #readySinceMs = 0;
  #lostSoon = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;
  state: ChaincodeConnectionState = { kind: 'down', reason: 'not connected yet' };

  constructor(params: ChaincodeConnectionParams) {
    this.#params = params;
    this.#dial();
  }

  ready(timeoutMs: number): Promise<ChaincodeStream> {
    if (this.#isReady && this.#stream !== undefined) return Promise.resolve(this.#stream);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const reason = this.state.kind === 'down' ? this.state.reason : 'the chaincode did not register';
        settle(new Error(`connection to ${this.#params.endpoint.address} failed: ${reason}`));
      }, timeoutMs);
      const settle = (outcome: ChaincodeStream | Error) => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      this.#waiting.add(settle);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#stream?.close(new Error('the peer stops'));
    for (const settle of [...this.#waiting]) settle(new Error('the peer stops'));
  }

  #dial(): void {
    let packageId = '';
    const stream = new ChaincodeStream(this.#params.endpoint, {
      register: (id) => {
        packageId = this.#check(id);
      },
      ready: () => {
        this.#isReady = true;
        this.#readySinceMs = performance.now();
        if (!this.#lostSoon) this.#retryMs = FIRST_RETRY_MS;
        this.#report({ kind: 'ready', packageId });
        for (const settle of [...this.#waiting]) settle(stream);
      },
      closed: (reason) => this.#lost(reason),
      invokeChaincode: this.#params.invokeChaincode,
    });
    this.#stream = stream;
  }

  #check(packageId: string): string {
    if (packageId === '') throw new Error('error in handling register chaincode, chaincodeID name is empty');
    const expected = this.#params.packageId;
    if (expected !== undefined && expected !== packageId) {
      throw new Error(`the chaincode registers as ${packageId}, but ${expected} is expected`);
    }
    return packageId;
  }

  #lost(reason: Error): void {
    if (this.#isReady) {
      this.#lostSoon = performance.now() - this.#readySinceMs < USEFUL_MS;
      if (!this.#lostSoon) this.#retryMs = FIRST_RETRY_MS;
    }
    this.#isReady = false;
    this.#stream = undefined;
    if (this.#closed) return;
    this.#report({ kind: 'down', reason: reason.message });
    this.#retryTimer = setTimeout(() => this.#dial(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #report(state: ChaincodeConnectionState): void {
    this.state = state;
    this.#params.onStateChange?.(state);
  }
}
