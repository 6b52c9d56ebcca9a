import { type ErrorCode, WaymarkError } from '@waymark/protocol';
import {
  type BatchReceipt,
  type BidiHandler,
  type CallContext,
  type MessageWriter,
  type SealedBatch,
  toFailure,
} from '@waymark/transport';
import type { RelayOutcome } from '../relay/relay.ts';
import { currentReceipt, type Intake } from './intake.ts';
import type { Journal } from '../journal/journal.ts';

/** Batches of one outlet that are being checked or stored at once. */
const maxConcurrent = 16;
/** Codes after which the same batch can be sent again with hope. */
const passing: ReadonlySet<ErrorCode> = new Set(['unavailable', 'internal']);

/** One outlet's live stream. */
interface LiveStream {
  readonly write: (receipt: BatchReceipt) => void;
  readonly end: (reason: WaymarkError) => void;
  /** Whether it has ended: what is still in its buffers is not taken. */
  over: boolean;
  /** Batches answered `accepted` on this stream, by sequence: they get an `anchored` receipt later. */
  readonly awaiting: Map<number, number>;
}

/** What the upload server needs. */
export interface UploadParts {
  readonly intake: Intake;
  readonly journal: Journal;
  /** Who is at the other end. @throws WaymarkError certificate-..., role-not-permitted */
  readonly identifyOutlet: (context: CallContext) => string;
  /** Resolves when the backlog has room. */
  readonly room: (signal: AbortSignal) => Promise<void>;
}

/** Serves `Center.Upload`: sealed batches in, receipts out, one live stream per outlet. */
export interface UploadServer {
  readonly upload: BidiHandler<SealedBatch, BatchReceipt>;
  /** Passes the relay's outcome on to the outlet, if it is there. */
  report(outcome: RelayOutcome): void;
  /** Ends an outlet's stream, if it has one: a position is only right while nothing is on its way. */
  endStream(outlet: string): void;
  readonly openStreams: number;
}

/** Builds the server. */
export function createUploadServer(parts: UploadParts): UploadServer {
  const streams = new Map<string, LiveStream>();

  const endStream = (outlet: string): void => {
    const stream = streams.get(outlet);
    streams.delete(outlet);
    stream?.end(new WaymarkError('unavailable', 'A newer connection of this outlet has taken over.'));
  };

  const upload: BidiHandler<SealedBatch, BatchReceipt> = async (requests, responses, context) => {
    const outlet = parts.identifyOutlet(context);
    endStream(outlet);
    const ended = Promise.withResolvers<never>();
    const stream: LiveStream = {
      write: writerOf(responses, ended.reject),
      end: (reason) => {
        stream.over = true;
        ended.reject(reason);
      },
      over: false,
      awaiting: new Map(),
    };
    streams.set(outlet, stream);
    try {
      await Promise.race([takeAll(requests, stream, outlet, context.signal), ended.promise]);
    } finally {
      stream.over = true;
      if (streams.get(outlet) === stream) streams.delete(outlet);
    }
  };

  async function takeAll(
    requests: AsyncIterable<SealedBatch>,
    stream: LiveStream,
    outlet: string,
    signal: AbortSignal,
  ): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const { ref, sealed } of requests) {
      if (parts.intake.full) await parts.room(signal);
      if (stream.over) return;
      const task = takeOne(ref, sealed, stream, outlet).finally(() => running.delete(task));
      running.add(task);
      if (running.size >= maxConcurrent) await Promise.race(running);
    }
    await Promise.all(running);
    // The outlet has no more to send; its stream stays for the receipts that are still to come.
    if (stream.awaiting.size > 0)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  async function takeOne(ref: number, sealed: Uint8Array, stream: LiveStream, outlet: string): Promise<void> {
    try {
      const taken = await parts.intake.take(sealed, outlet);
      stream.write({ ref, receipt: taken.receipt, failure: undefined, rejected: [] });
      const known = parts.journal.batch(taken.outlet, taken.seq);
      if (known?.state === 'accepted') stream.awaiting.set(taken.seq, ref);
      else if (known !== undefined && !taken.repeated)
        stream.write({ ref, receipt: currentReceipt(known), failure: undefined, rejected: [] });
    } catch (error) {
      stream.write({ ref, receipt: new Uint8Array(0), failure: toFailure(error), rejected: [] });
      const code = error instanceof WaymarkError ? error.code : 'internal';
      // What follows in the stream builds on the batch that failed: the outlet starts again from its position.
      if (passing.has(code))
        stream.end(new WaymarkError('unavailable', 'A batch could not be stored; start again from the position.'));
    }
  }

  return {
    upload,
    report(outcome) {
      const { outlet, seq } = outcome.batch;
      const stream = streams.get(outlet);
      const ref = stream?.awaiting.get(seq);
      if (stream === undefined) return;
      if (ref === undefined) {
        // It was accepted on an earlier connection: the outlet takes it back when it asks for its position.
        if (outcome.state === 'refused') stream.end(new WaymarkError('unavailable', 'Start again from the position.'));
        return;
      }
      stream.awaiting.delete(seq);
      if (outcome.state === 'anchored')
        stream.write({ ref, receipt: outcome.receipt, failure: undefined, rejected: [] });
      else stream.write({ ref, receipt: new Uint8Array(0), failure: outcome.refusal, rejected: [] });
    },
    endStream,
    get openStreams() {
      return streams.size;
    },
  };
}

/** Writes in order without making the caller wait; a stream that breaks ends the session. */
function writerOf(
  responses: MessageWriter<BatchReceipt>,
  fail: (error: unknown) => void,
): (receipt: BatchReceipt) => void {
  let last: Promise<void> = Promise.resolve();
  return (receipt) => {
    last = last.then(() => responses.write(receipt));
    last.catch(fail);
  };
}
