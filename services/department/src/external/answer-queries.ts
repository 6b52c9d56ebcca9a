import { type ErrorCode, isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { Asked, Hint, TrustedReader } from '@waymark/reading';
import { type BidiStream, type ExternalAnswer, type ExternalQuery, toFailure } from '@waymark/transport';
import { readEnvelopeHeader, sealExternalAnswer, type SigningIdentity, verifyExternalQuery } from '@waymark/vault';
import type { AllowLists } from './allow-lists.ts';

const maxNonces = 100_000;
/** As long as a query may travel: after that its age refuses it. */
const nonceLifetimeMs = 10 * 60_000;
const firstRetryMs = 200;
const longestRetryMs = 10_000;
/** What an asker may learn about its own query; anything else is `refused`. */
const telling: ReadonlySet<ErrorCode> = new Set([
  'input-invalid',
  'signature-invalid',
  'key-invalid',
  'recipient-mismatch',
  'message-stale',
  'replay-conflict',
  'data-abnormal',
  'unavailable',
  'limit-exceeded',
]);

/** A center as long as it is in office. */
export interface QueryingCenter {
  answerQueries(): BidiStream<ExternalAnswer, ExternalQuery>;
  readonly left: AbortSignal;
}

/** What answering needs. */
export interface AnsweringParts {
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly allowLists: AllowLists;
  readonly reader: TrustedReader;
  readonly findByOid: (oid: Uint8Array) => Promise<Hint | undefined>;
  readonly getEnvelope: (cid: string) => Promise<Uint8Array>;
  /** The center in office. @throws WaymarkError unavailable */
  readonly center: (signal: AbortSignal) => Promise<QueryingCenter>;
  readonly nowMs: () => number;
  readonly onAnswered: (outcome: string) => void;
  readonly onRetry: (error: unknown, delayMs: number) => void;
  readonly delay: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Answers external queries that the center passes on (S9): the outlet itself fetches, proves, opens and re-encrypts for the asker. */
export interface Answering {
  start(): void;
  stop(): Promise<void>;
  readonly connected: boolean;
}

/** Keeps one stream open to the center. */
export function createAnswering(parts: AnsweringParts): Answering {
  const abort = new AbortController();
  const nonces = new Map<string, number>();
  const stopped = (): boolean => abort.signal.aborted;
  let connected = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!stopped()) {
      let release = (): void => undefined;
      try {
        const center = await parts.center(abort.signal);
        const stream = center.answerQueries();
        const over = AbortSignal.any([abort.signal, center.left]);
        const onOver = (): void => stream.cancel();
        over.addEventListener('abort', onOver, { once: true });
        release = () => {
          over.removeEventListener('abort', onOver);
          stream.cancel();
        };
        if (over.aborted) stream.cancel();
        await stream.write({ queryId: '', answer: '', failure: undefined });
        connected = true;
        for await (const query of stream.responses) {
          retryMs = firstRetryMs;
          void answerOne(query)
            .then((answer) => stream.write(answer))
            .catch((error: unknown) => parts.onRetry(error, 0));
        }
        throw new WaymarkError('unavailable', 'The center ended the connection.');
      } catch (error) {
        if (stopped()) return;
        parts.onRetry(error, retryMs);
        await parts.delay(retryMs, abort.signal);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      } finally {
        connected = false;
        release();
      }
    }
  }

  async function answerOne({ queryId, recordOid, request }: ExternalQuery): Promise<ExternalAnswer> {
    try {
      const answer = await open(recordOid, request);
      parts.onAnswered('answered');
      return { queryId, answer, failure: undefined };
    } catch (error) {
      const known = isWaymarkError(error) && telling.has(error.code) ? error : refused(error);
      parts.onAnswered(known.code);
      return { queryId, answer: '', failure: toFailure(known) };
    }
  }

  async function open(recordOid: string, request: string): Promise<string> {
    const { channel, identity } = parts;
    const query = await verifyExternalQuery(request, { channel, msp: identity.mspId, nowMs: parts.nowMs() });
    useNonce(`${query.askerKid}/${query.nonce}`);
    if (query.recordOid !== undefined && query.recordOid !== recordOid) throw refused();
    // Somebody on no list learns nothing, not even whether a part of the record is missing.
    if (!parts.allowLists.names(query.askerKid)) throw refused();
    const hint = await parts.findByOid(Buffer.from(recordOid, 'hex'));
    if (hint === undefined) throw refused();
    const { consignmentOid } = readEnvelopeHeader(await parts.getEnvelope(hint.cid));
    if (!parts.allowLists.permits(consignmentOid, query.askerKid)) throw refused();
    const asked: Asked = query.businessId ?? { recordOid };
    const record = await parts.reader.read(hint, asked);
    const { nonce, encryptionKey } = query;
    return sealExternalAnswer(
      { recordOid, content: record.content, evidenceId: record.evidenceId, nonce },
      identity,
      encryptionKey,
    );
  }

  function useNonce(name: string): void {
    const nowMs = parts.nowMs();
    for (const [known, usedAtMs] of nonces) {
      if (nowMs - usedAtMs < nonceLifetimeMs && nonces.size < maxNonces) break;
      nonces.delete(known);
    }
    if (nonces.has(name)) throw new WaymarkError('replay-conflict', 'This query was asked before.');
    nonces.set(name, nowMs);
  }

  return {
    start: () => {
      running ??= run();
    },
    stop: async () => {
      abort.abort();
      await running;
    },
    get connected() {
      return connected;
    },
  };
}

/** One answer for not-yours and not-there. */
function refused(cause?: unknown): WaymarkError {
  return new WaymarkError('refused', 'There is no such record, or it is not yours to see.', { cause });
}
