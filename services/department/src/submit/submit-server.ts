import { formatEvidenceId, parseJsonStrict, toHex, WaymarkError } from '@waymark/protocol';
import {
  type BidiHandler,
  type CallContext,
  type Failure,
  type MessageWriter,
  type RecordMessage,
  type SubmitRequest,
  type SubmitResponse,
  toFailure,
} from '@waymark/transport';
import { type BatchState, isFinal, type Rejections } from '../outbox/batch-state.ts';
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
  /** Called when a client is told that a record was rejected. */
  readonly onRejectionTold: (place: { readonly batch: number; readonly leaf: number }) => void;
  /** @throws WaymarkError when the caller may not submit */
  readonly authorize: (context: CallContext) => void;
  /** Records of one stream that wait for their final receipt; more are not read. */
  readonly maxOpenRecords: number;
}

/** Serves `Outlet.Submit`: a receipt when the center has accepted a record, others when it is in a block and when it is anchored. */
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

/** The records of one batch that a client waits for, and what it was told of them last. */
interface Following {
  records: Waiting[];
  told: BatchState['state'];
  unwatch: () => void;
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
  const byBatch = new Map<number, Following>();
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

  /** Says how far these records of a batch are; returns those of which more is to be said later. */
  function tell(batch: number, state: BatchState, records: Waiting[]): Waiting[] {
    if (records.length === 0 || state.state === 'queued') return records;
    if (state.state === 'refused') {
      const refusal = { code: state.code, message: state.message };
      write({ receipts: [], failures: records.map(({ ref }) => ({ ref, failure: refusal })) });
      return [];
    }
    const rejected = 'rejected' in state ? state.rejected : noRejections;
    const [passed, failed] = rejected.size === 0 ? [records, []] : split(records, rejected);
    const evidenceId = formatEvidenceId({ msp: parts.msp, outlet: parts.outlet, seq: state.seq });
    const block = 'block' in state ? state.block : undefined;
    write({
      failures: failed.map(({ ref, placed }) => ({ ref, failure: rejection(rejected.get(placed.leaf) ?? '') })),
      receipts: passed.map(({ ref, placed }) => ({
        ref,
        recordOid: toHex(placed.recordOid),
        evidenceId,
        leafIndex: placed.leaf,
        state: state.state,
        batchHash: toHex(state.batchHash),
        txId: state.state === 'anchored' ? state.txId : '',
        repeated: placed.repeated,
        ...(block === undefined ? {} : { blockHeight: block.height }),
      })),
    });
    for (const { placed } of failed) parts.onRejectionTold({ batch, leaf: placed.leaf });
    return isFinal(state) ? [] : passed;
  }

  function onState(batch: number, state: BatchState): void {
    const entry = byBatch.get(batch);
    if (entry === undefined || entry.told === state.state) return;
    entry.told = state.state;
    const { records } = entry;
    entry.records = tell(batch, state, records);
    if (isFinal(state)) byBatch.delete(batch);
    if (entry.records.length < records.length) close(records.length - entry.records.length);
  }

  function place(waiting: Waiting): void {
    const { batch } = waiting.placed;
    const entry = byBatch.get(batch);
    if (entry === undefined) {
      const fresh: Following = { records: [waiting], told: 'queued', unwatch: () => undefined };
      byBatch.set(batch, fresh);
      fresh.unwatch = parts.progress.watch(batch, (state) => onState(batch, state));
      return;
    }
    // The batch may have moved on already: this record has missed what the others were told.
    let left = [waiting];
    if (entry.told !== 'queued') parts.progress.watch(batch, (state) => (left = tell(batch, state, left)))();
    entry.records.push(...left);
    if (left.length === 0) close(1);
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

const noRejections: Rejections = new Map();

function split(records: Waiting[], rejected: Rejections): [passed: Waiting[], failed: Waiting[]] {
  const isIn = ({ placed }: Waiting): boolean => !rejected.has(placed.leaf);
  return [records.filter(isIn), records.filter((record) => !isIn(record))];
}

function rejection(reason: string): Failure {
  return toFailure(
    new WaymarkError('audit-rejected', `The audit did not let the record through: ${reason}.`, { details: { reason } }),
  );
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
