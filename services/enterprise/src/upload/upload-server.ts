import { type ErrorCode, WaymarkError } from '@waymark/protocol';
import {
  type BatchReceipt,
  type BidiHandler,
  type CallContext,
  type MessageWriter,
  type SealedBatch,
  toFailure,
} from '@waymark/transport';
import type { BatchOutcome } from './batch-outcome.ts';
import type { Intake } from './intake.ts';

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
  /** Batches answered on this stream, by sequence, that are not at their end: they get further receipts. */
  readonly awaiting: Map<number, number>;
}

/** What the upload server needs. */
export interface UploadParts {
  readonly intake: Intake;
  /** What has become of a batch beyond being accepted; undefined when nothing has. */
  readonly outcomeOf: (outlet: string, seq: number) => BatchOutcome | undefined;
  /** The private ledger's own receipt for a batch that was just accepted. */
  readonly ledgerReceiptOf?: (outlet: string, seq: number) => Uint8Array | undefined;
  /** Who is at the other end. @throws WaymarkError certificate-..., role-not-permitted */
  readonly identifyOutlet: (context: CallContext) => string;
  /** Resolves when the backlog has room. */
  readonly room: (signal: AbortSignal) => Promise<void>;
}

/** Serves `Center.Upload`: sealed batches in, receipts out, one live stream per outlet. */
export interface UploadServer {
  readonly upload: BidiHandler<SealedBatch, BatchReceipt>;
  /** Passes an outcome on to the outlet, if it is there. */
  report(outcome: BatchOutcome): void;
  /** Ends an outlet's stream, if it has one: a position is only right while nothing is on its way. */
  endStream(outlet: string): void;
  /** Ends all of them. */
  endAll(reason: WaymarkError): void;
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
      const ledgerReceipt = parts.ledgerReceiptOf?.(taken.outlet, taken.seq);
      stream.write({
        ...none,
        ref,
        receipt: taken.receipt,
        // Empty for a batch whose block is known already: it is the ledger's all the same.
        ...(parts.ledgerReceiptOf === undefined ? {} : { ledgerReceipt: Buffer.from(ledgerReceipt ?? []) }),
      });
      stream.awaiting.set(taken.seq, ref);
      const known = parts.outcomeOf(taken.outlet, taken.seq);
      // A repeated batch got its newest receipt just now.
      if (taken.repeated && known?.state === 'anchored') stream.awaiting.delete(taken.seq);
      else if (known !== undefined) tell(stream, ref, known);
    } catch (error) {
      stream.write({ ...none, ref, failure: toFailure(error) });
      const code = error instanceof WaymarkError ? error.code : 'internal';
      // What follows in the stream builds on the batch that failed: the outlet starts again from its position.
      if (passing.has(code))
        stream.end(new WaymarkError('unavailable', 'A batch could not be stored; start again from the position.'));
    }
  }

  return {
    upload,
    report(outcome) {
      const { outlet, seq } = outcome;
      const stream = streams.get(outlet);
      const ref = stream?.awaiting.get(seq);
      if (stream === undefined) return;
      if (ref !== undefined) tell(stream, ref, outcome);
      // It was accepted on an earlier connection: the outlet takes it back when it asks for its position.
      else if (outcome.state === 'refused')
        stream.end(new WaymarkError('unavailable', 'Start again from the position.'));
    },
    endStream,
    endAll(reason) {
      for (const stream of streams.values()) stream.end(reason);
    },
    get openStreams() {
      return streams.size;
    },
  };
}

const none: Omit<BatchReceipt, 'ref'> = {
  receipt: new Uint8Array(0),
  failure: undefined,
  rejected: [],
};

function tell(stream: LiveStream, ref: number, outcome: BatchOutcome): void {
  if (outcome.state !== 'confirmed') stream.awaiting.delete(outcome.seq);
  if (outcome.state === 'refused') stream.write({ ...none, ref, failure: outcome.refusal });
  else stream.write({ ...none, ref, receipt: outcome.receipt, rejected: [...(outcome.rejected ?? [])] });
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
