import { formatEvidenceId, parseJsonStrict, toHex, WaymarkError } from '@waymark/protocol';
import {
  type BidiHandler,
  type CallContext,
  type MessageWriter,
  type RecordMessage,
  type SubmitRequest,
  type SubmitResponse,
  toFailure,
} from '@waymark/transport';
import type { BatchState } from '../outbox/outbox.ts';
import type { Progress } from '../sealing/progress.ts';
import type { Placed, Sealer } from '../sealing/sealer.ts';

/** Records in one request; more are cut by the message size anyway. */
const maxRecordsPerRequest = 10_000;
const maxPayloadBytes = 1024 * 1024;

/** What the submit server is made of. */
export interface SubmitParts {
  readonly msp: string;
  readonly outlet: string;
  readonly sealer: Sealer;
  readonly progress: Progress;
  /** @throws WaymarkError when the caller may not submit */
  readonly authorize: (context: CallContext) => void;
  /** Records of one stream that wait for their final receipt; more are not read. */
  readonly maxOpenRecords: number;
}

/** Serves `Outlet.Submit`: a receipt when the center has accepted a record, another when it is anchored. */
export function createSubmitHandler(parts: SubmitParts): BidiHandler<SubmitRequest, SubmitResponse> {
  return async (requests, responses, context) => {
    parts.authorize(context);
    const session = createSession(parts, responses);
    try {
      for await (const request of requests) {
        // A stream may outlive the right to it.
        parts.authorize(context);
        if (request.records.length > maxRecordsPerRequest) {
          throw new WaymarkError('limit-exceeded', 'A request has too many records.', {
            details: { limit: maxRecordsPerRequest },
          });
        }
        await parts.sealer.room(context.signal);
        await session.room(context.signal);
        session.take(request.records);
        if (request.flush) parts.sealer.flush();
        session.check();
      }
      parts.sealer.flush();
      await session.finished(context.signal);
    } finally {
      session.end();
    }
  };
}

interface Waiting {
  readonly ref: number;
  readonly placed: Placed;
}

interface Session {
  take(records: readonly RecordMessage[]): void;
  room(signal: AbortSignal): Promise<void>;
  finished(signal: AbortSignal): Promise<void>;
  /** Throws what went wrong behind the scenes. */
  check(): void;
  end(): void;
}

/** One client's stream: which of its records wait for which batch. */
function createSession(parts: SubmitParts, responses: MessageWriter<SubmitResponse>): Session {
  const byBatch = new Map<number, { records: Waiting[]; told: string; unwatch: () => void }>();
  let open = 0;
  let failure: Error | undefined;
  let changed = Promise.withResolvers<undefined>();
  let last = Promise.resolve();

  const write = (response: SubmitResponse): void => {
    last = last.then(() => responses.write(response));
    last.catch((error: unknown) => {
      failure ??= error instanceof Error ? error : new Error('the stream broke');
      signalChange();
    });
  };
  const signalChange = (): void => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };
  const close = (count: number): void => {
    open -= count;
    signalChange();
  };

  function tell(batch: number, state: BatchState, records: readonly Waiting[]): void {
    if (records.length === 0 || state.state === 'queued') return;
    if (state.state === 'refused') {
      const refusal = { code: state.code, message: state.message };
      write({ receipts: [], failures: records.map(({ ref }) => ({ ref, failure: refusal })) });
      return;
    }
    const evidenceId = formatEvidenceId({ msp: parts.msp, outlet: parts.outlet, seq: state.seq });
    write({
      failures: [],
      receipts: records.map(({ ref, placed }) => ({
        ref,
        recordOid: toHex(placed.recordOid),
        evidenceId,
        leafIndex: placed.leaf,
        state: state.state,
        batchHash: toHex(state.batchHash),
        txId: state.state === 'anchored' ? state.txId : '',
        repeated: placed.repeated,
      })),
    });
  }

  function onState(batch: number, state: BatchState): void {
    const entry = byBatch.get(batch);
    if (entry === undefined || entry.told === state.state) return;
    entry.told = state.state;
    tell(batch, state, entry.records);
    if (state.state !== 'anchored' && state.state !== 'refused') return;
    byBatch.delete(batch);
    close(entry.records.length);
  }

  function place(waiting: Waiting): void {
    const { batch } = waiting.placed;
    const entry = byBatch.get(batch);
    if (entry !== undefined) {
      entry.records.push(waiting);
      // The batch has moved on already: this record has missed what the others were told.
      if (entry.told === 'accepted') parts.progress.watch(batch, (state) => tell(batch, state, [waiting]))();
      return;
    }
    const fresh = { records: [waiting], told: 'queued', unwatch: (): void => undefined };
    byBatch.set(batch, fresh);
    fresh.unwatch = parts.progress.watch(batch, (state) => onState(batch, state));
  }

  return {
    take(records) {
      for (const record of records) {
        open += 1;
        const { ref } = record;
        toRecord(record)
          .then((input) => parts.sealer.add(input))
          .then(
            (placed) => place({ ref, placed }),
            (error: unknown) => {
              write({ receipts: [], failures: [{ ref, failure: toFailure(error) }] });
              close(1);
            },
          )
          .catch((error: unknown) => {
            failure ??= error instanceof Error ? error : new Error('a record could not be followed');
            signalChange();
          });
      }
    },
    async room(signal) {
      while (open >= parts.maxOpenRecords && failure === undefined) await orAbort(changed.promise, signal);
      this.check();
    },
    async finished(signal) {
      while (open > 0 && failure === undefined) await orAbort(changed.promise, signal);
      await last;
      this.check();
    },
    check() {
      if (failure !== undefined) throw failure;
    },
    end() {
      for (const { unwatch } of byBatch.values()) unwatch();
      byBatch.clear();
    },
  };
}

/** A record as the sealer takes it; what is wrong with it is said in its own failure. */
function toRecord(message: RecordMessage): Promise<unknown> {
  return new Promise((resolve) =>
    resolve({
      eventId: message.eventId,
      revision: message.revision,
      consignment: message.consignment,
      schema: message.schema,
      collectionTime: message.collectionTime,
      businessIds: message.businessIds.map(({ type, value }) => ({ type, value })),
      payload: parseJsonStrict(message.payloadJson, { maxBytes: maxPayloadBytes }),
    }),
  );
}

async function orAbort(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new WaymarkError('unavailable', 'The client is gone.');
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new WaymarkError('unavailable', 'The client is gone.'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
