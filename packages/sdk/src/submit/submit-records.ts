import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import {
  type BidiStream,
  fromFailure,
  type RecordReceipt,
  type SubmitRequest,
  type SubmitResponse,
} from '@waymark/transport';
import { type PreparedRecord, prepareRecord, type RecordInput } from './record-message.ts';

/** In the order in which a record gets there. */
export const submitStates = ['accepted', 'confirmed', 'anchored'] as const;

/**
 * How far a record has come: `accepted` is on the center's disk, `confirmed` is in a block of the firm's private ledger, `anchored` is in
 * a valid transaction of the channel. In a firm without private ledger the second is left out.
 */
export type SubmitState = (typeof submitStates)[number];

/** What the outlet says of a record. */
export interface SubmitReceipt {
  readonly recordOid: string;
  /** `<msp>/<outlet>/<seq>`. */
  readonly evidenceId: string;
  readonly leafIndex: number;
  readonly state: SubmitState;
  readonly batchHash: string;
  /** The block of the firm's private ledger, once confirmed. */
  readonly blockHeight?: number;
  /** Once anchored, when the outlet has heard of the transaction. */
  readonly txId?: string;
  /** The record had been submitted before, with the same content. */
  readonly repeated: boolean;
}

/** What became of one record. */
export type SubmitResult = {
  /** Place of the record in the input, from 0. */
  readonly index: number;
  readonly eventId: string;
} & ({ readonly receipt: SubmitReceipt } | { readonly error: WaymarkError });

/** Counts so far. */
export interface SubmitProgress {
  readonly read: number;
  readonly done: number;
  readonly failed: number;
  /** How many of those that did not fail have come to each state or beyond, as far as they were followed. */
  readonly reached: Readonly<Record<SubmitState, number>>;
}

/** How to submit. */
export interface SubmitOptions {
  /** When a record counts as done; without a private ledger `confirmed` is as good as `anchored`. Default: anchored. */
  readonly until?: SubmitState;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SubmitProgress) => void;
  /** Records sent, not yet done or not yet taken by the caller; above it the input is not read. Default 16,384. */
  readonly maxInFlight?: number;
  /** How often a broken stream is opened again without anything having been done in between. Default 8. */
  readonly maxReconnects?: number;
}

type Stream = BidiStream<SubmitRequest, SubmitResponse>;

interface Waiting extends PreparedRecord {
  readonly index: number;
  readonly eventId: string;
  /** The furthest state that was heard of. */
  state: SubmitState | undefined;
}

const maxGroupRecords = 1_000;
const maxGroupSizeBytes = 2 * 1024 * 1024;
const firstRetryMs = 200;
const longestRetryMs = 5_000;

/**
 * Sends records and yields what becomes of each, as it becomes known. The input is read only as fast as the outlet and the caller keep up; a
 * broken stream is opened again and what has no receipt is sent again, which the outlet recognises.
 * @throws WaymarkError what ends the whole submission: refused, certificate errors, unavailable when reconnecting did not help
 */
export async function* submitRecords(
  open: () => Stream,
  records: Iterable<RecordInput> | AsyncIterable<RecordInput>,
  options: SubmitOptions = {},
): AsyncGenerator<SubmitResult, void, undefined> {
  const submission = new Submission(open, records, options);
  try {
    yield* submission.results();
  } finally {
    submission.stop();
  }
}

class Submission {
  readonly #open: () => Stream;
  readonly #records: Iterable<RecordInput> | AsyncIterable<RecordInput>;
  readonly #options: SubmitOptions;
  readonly #until: SubmitState;
  readonly #maxInFlight: number;
  /** Sent or to be sent, without final word; in the order of the input. */
  readonly #waiting = new Map<number, Waiting>();
  #results: SubmitResult[] = [];
  #changed = Promise.withResolvers<undefined>();
  #group: Waiting[] = [];
  #groupSizeBytes = 0;
  #stream: Stream | undefined;
  #sending = Promise.resolve();
  #read = 0;
  #done = 0;
  #failed = 0;
  readonly #reached: Record<SubmitState, number> = { accepted: 0, confirmed: 0, anchored: 0 };
  #inputEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #stopped = false;
  readonly #stopping = new AbortController();
  #progressed = false;
  /** Results handed to the caller's loop and not yet asked for. */
  #untaken = 0;

  constructor(open: () => Stream, records: Iterable<RecordInput> | AsyncIterable<RecordInput>, options: SubmitOptions) {
    this.#open = open;
    this.#records = records;
    this.#options = options;
    this.#until = options.until ?? 'anchored';
    this.#maxInFlight = options.maxInFlight ?? 16_384;
  }

  async *results(): AsyncGenerator<SubmitResult, void, undefined> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const onAbort = (): void => this.#fail(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    void this.#receive();
    void this.#readInput();
    try {
      for (;;) {
        const changed = this.#changed.promise;
        const ready = this.#results;
        this.#results = [];
        for (const [index, result] of ready.entries()) {
          // Those not yet taken still count as in flight.
          this.#untaken = ready.length - index;
          yield result;
          if (index % maxGroupRecords === 0) this.#signalChange();
        }
        this.#untaken = 0;
        if (ready.length > 0) this.#signalChange();
        if (this.#failure !== undefined) throw this.#failure.error;
        if (ready.length > 0) continue;
        if (this.#inputEnded && this.#waiting.size === 0 && this.#results.length === 0) return;
        await changed;
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#stopping.abort();
    this.#stream?.cancel();
    this.#signalChange();
  }

  #signalChange(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopping.abort();
    this.#stream?.cancel();
    this.#signalChange();
  }

  #isOver(): boolean {
    return this.#stopped || this.#failure !== undefined;
  }

  async #readInput(): Promise<void> {
    try {
      for await (const input of this.#records) {
        const index = this.#read;
        this.#read += 1;
        const { eventId } = input;
        try {
          const waiting: Waiting = { ...prepareRecord(input, index + 1), index, eventId, state: undefined };
          this.#waiting.set(index + 1, waiting);
          this.#gather(waiting);
        } catch (error) {
          if (!isWaymarkError(error)) throw error;
          this.#settle({ index, eventId, error });
        }
        if (this.#group.length === 0) await this.#sending;
        while (this.#inFlight >= this.#maxInFlight && !this.#isOver()) {
          this.#sendGroup();
          await this.#changed.promise;
        }
        if (this.#isOver()) return;
      }
      this.#inputEnded = true;
      this.#sendGroup();
      await this.#sending;
      this.#stream?.finish();
      this.#signalChange();
    } catch (error) {
      this.#fail(error);
    }
  }

  get #inFlight(): number {
    return this.#waiting.size + this.#results.length + this.#untaken;
  }

  /** Records that come close together go together; none waits for the next. */
  #gather(waiting: Waiting): void {
    this.#group.push(waiting);
    this.#groupSizeBytes += waiting.sizeBytes;
    if (this.#group.length >= maxGroupRecords || this.#groupSizeBytes >= maxGroupSizeBytes) this.#sendGroup();
    else if (this.#group.length === 1) void setImmediate().then(() => this.#sendGroup());
  }

  #sendGroup(): void {
    const group = this.#group;
    this.#group = [];
    this.#groupSizeBytes = 0;
    if (group.length === 0) return;
    const stream = this.#stream;
    // Without a stream nothing is lost: a new one begins with all that waits.
    if (stream !== undefined) this.#sending = this.#sending.then(() => this.#write(stream, group));
  }

  async #write(stream: Stream, group: readonly Waiting[]): Promise<void> {
    try {
      const records = group.filter(({ message }) => this.#waiting.has(message.ref)).map(({ message }) => message);
      if (records.length > 0 && stream === this.#stream) await stream.write({ records, flush: false });
    } catch {
      // The receiving side hears why.
    }
  }

  async #receive(): Promise<void> {
    let retries = 0;
    let retryMs = firstRetryMs;
    while (!this.#isOver()) {
      try {
        await this.#session();
        if (this.#isOver() || (this.#inputEnded && this.#waiting.size === 0)) return;
        throw new WaymarkError('unavailable', 'The outlet ended the stream before all records had their receipt.');
      } catch (error) {
        this.#stream = undefined;
        if (this.#isOver() || (this.#inputEnded && this.#waiting.size === 0)) return;
        if (this.#progressed) {
          retries = 0;
          retryMs = firstRetryMs;
        }
        this.#progressed = false;
        retries += 1;
        if (!passing(error) || retries > (this.#options.maxReconnects ?? 8)) {
          this.#fail(error);
          return;
        }
        await delay(retryMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      }
    }
  }

  async #session(): Promise<void> {
    const stream = this.#open();
    const again = [...this.#waiting.values()];
    this.#group = [];
    this.#groupSizeBytes = 0;
    this.#stream = stream;
    const resend = async (): Promise<void> => {
      for (const group of groupsOf(again)) await this.#write(stream, group);
      if (this.#inputEnded) stream.finish();
    };
    this.#sending = this.#sending.then(resend);
    for await (const { receipts, failures } of stream.responses) {
      for (const receipt of receipts) this.#receipt(receipt);
      for (const { ref, failure } of failures) {
        const waiting = this.#waiting.get(ref);
        if (waiting === undefined || failure === undefined) continue;
        this.#waiting.delete(ref);
        this.#forget(waiting);
        this.#settle({ index: waiting.index, eventId: waiting.eventId, error: fromFailure(failure) });
      }
      this.#signalChange();
      if (this.#isOver() || (this.#inputEnded && this.#waiting.size === 0)) return;
    }
  }

  #receipt(message: RecordReceipt): void {
    const waiting = this.#waiting.get(message.ref);
    if (waiting === undefined) return;
    const state = submitStates.find((known) => known === message.state) ?? 'accepted';
    this.#reach(waiting, state, message.blockHeight !== undefined);
    if (submitStates.indexOf(state) < submitStates.indexOf(this.#until)) {
      this.#tellProgress();
      return;
    }
    this.#waiting.delete(message.ref);
    const { recordOid, evidenceId, leafIndex, batchHash, txId, repeated, blockHeight } = message;
    this.#settle({
      index: waiting.index,
      eventId: waiting.eventId,
      receipt: {
        recordOid,
        evidenceId,
        leafIndex,
        state,
        batchHash,
        ...(blockHeight === undefined ? {} : { blockHeight }),
        ...(txId === '' ? {} : { txId }),
        repeated,
      },
    });
  }

  /** A center that takes over may say again what another one has said. */
  #reach(waiting: Waiting, state: SubmitState, inBlock: boolean): void {
    const before = waiting.state === undefined ? -1 : submitStates.indexOf(waiting.state);
    const now = submitStates.indexOf(state);
    for (const passed of submitStates.slice(before + 1, now + 1))
      if (passed !== 'confirmed' || inBlock) this.#reached[passed] += 1;
    if (now > before) waiting.state = state;
  }

  #forget({ state }: Waiting): void {
    const before = state === undefined ? -1 : submitStates.indexOf(state);
    for (const passed of submitStates.slice(0, before + 1)) this.#reached[passed] -= 1;
  }

  #settle(result: SubmitResult): void {
    this.#progressed = true;
    if ('error' in result) this.#failed += 1;
    else this.#done += 1;
    this.#results.push(result);
    this.#tellProgress();
    this.#signalChange();
  }

  #tellProgress(): void {
    const { onProgress } = this.#options;
    onProgress?.({ read: this.#read, done: this.#done, failed: this.#failed, reached: { ...this.#reached } });
  }
}

function* groupsOf(records: readonly Waiting[]): Generator<Waiting[]> {
  let group: Waiting[] = [];
  let sizeBytes = 0;
  for (const record of records) {
    group.push(record);
    sizeBytes += record.sizeBytes;
    if (group.length < maxGroupRecords && sizeBytes < maxGroupSizeBytes) continue;
    yield group;
    group = [];
    sizeBytes = 0;
  }
  if (group.length > 0) yield group;
}

/** Faults that may be over when the stream is opened again. */
function passing(error: unknown): boolean {
  return isWaymarkError(error) && ['unavailable', 'limit-exceeded', 'internal'].includes(error.code);
}
