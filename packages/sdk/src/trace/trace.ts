import { isWaymarkError, type WaymarkError } from '@waymark/protocol';
import {
  type Asked,
  type ConsignmentKeySource,
  createTrustedReader,
  type FastRecord,
  fastKeyPlace,
  openFastRecord,
  type TrustedReader,
  type TrustedReaderParts,
  type TrustedRecord,
} from '@waymark/reading';
import { type EncryptionKeyPair, unwrapConsignmentKey } from '@waymark/vault';
import { answerSchemas, parseAnswer } from '../api/answers.ts';
import type { ApiClient } from '../api/api-client.ts';
import type { ContentAccess } from '../content/content-reader.ts';
import { askedBy, lookUp, lookupPage, nothingFound, toHint, type TraceQuery } from './queries.ts';

/** A record with what was checked of it. */
export type TracedRecord = TrustedRecord | FastRecord;

/** The answer to one query. */
export interface TraceAnswer<R extends TracedRecord = TracedRecord> {
  /** The least of its records: `anchored`: proven against the channel. `confirmed`: against the members of the firm's private ledger. `unverified`: as one node has it. */
  readonly trust: R['trust'];
  /** Organisations whose peers vouched for the evidence; empty for fast answers. */
  readonly attestedBy: readonly string[];
  readonly records: readonly R[];
  /** The index has more records under this id than it gives at once. */
  readonly more: boolean;
}

/** What became of one of many queries. */
export type TraceOutcome = { readonly answer: TraceAnswer } | { readonly error: WaymarkError };

/** Reading by trusted (S7) and fast (S8) queries. */
export interface Tracing {
  trusted(query: TraceQuery, signal?: AbortSignal): Promise<TraceAnswer<TrustedRecord>>;
  fast(query: TraceQuery, signal?: AbortSignal): Promise<TraceAnswer<FastRecord>>;
  /** Up to 500 trusted queries at once; one outcome each, in order. `bulk`: whole batches are read ahead. */
  trustedPage(
    queries: readonly TraceQuery[],
    options: { bulk: boolean; signal?: AbortSignal },
  ): Promise<TraceOutcome[]>;
}

/** What reading needs; each part is made when it is first used. */
export interface TracingParts {
  readonly channel: string;
  readonly api: () => ApiClient;
  readonly ledger: () => TrustedReaderParts['ledger'];
  readonly content: () => Promise<ContentAccess>;
  readonly keys: ConsignmentKeySource;
  readonly readerKey: () => Promise<EncryptionKeyPair>;
  readonly verifierOf: TrustedReaderParts['verifierOf'];
}

/** Builds the reading side of a connection. */
export function createTracing(parts: TracingParts): Tracing {
  const readers = new Map<'single' | 'bulk', Promise<TrustedReader>>();

  function readerFor(kind: 'single' | 'bulk'): Promise<TrustedReader> {
    const known = readers.get(kind);
    if (known !== undefined) return known;
    const reader = parts.content().then((content) =>
      createTrustedReader({
        ledger: parts.ledger(),
        content: content[kind],
        keys: parts.keys,
        verifierOf: parts.verifierOf,
        ...(kind === 'bulk' ? { readAhead: (body) => content.bulk.get(body) } : {}),
        concurrency: 32,
      }),
    );
    readers.set(kind, reader);
    reader.catch(() => readers.delete(kind));
    return reader;
  }

  async function trustedPage(
    queries: readonly TraceQuery[],
    { bulk, signal }: { bulk: boolean; signal?: AbortSignal },
  ): Promise<TraceOutcome[]> {
    if (queries.length === 0) return [];
    const asked = queries.map(askedBy);
    const found = await lookUp(parts.api(), asked, signal);
    const reader = await readerFor(bulk ? 'bulk' : 'single');
    signal?.throwIfAborted();
    const wanted = found.flatMap(({ hints }, query) =>
      hints.map((hint) => ({ hint, asked: asked[query] as Asked, query })),
    );
    const outcomes = await reader.readMany(wanted);
    const records = queries.map((): TrustedRecord[] => []);
    const errors = new Map<number, WaymarkError>();
    outcomes.forEach((outcome, index) => {
      const query = wanted[index]?.query ?? 0;
      if ('record' in outcome) records[query]?.push(outcome.record);
      else if (errors.get(query)?.code !== 'data-abnormal') errors.set(query, outcome.error);
    });
    return records.map((of, query): TraceOutcome => {
      const [first] = of;
      const error = errors.get(query) ?? (first === undefined ? nothingFound() : undefined);
      if (error !== undefined || first === undefined) return { error: error ?? nothingFound() };
      const { attestedBy } = first;
      return { answer: { trust: leastTrust(of), attestedBy, records: of, more: found[query]?.more ?? false } };
    });
  }

  return {
    trustedPage,

    async trusted(query, signal) {
      const [outcome] = await trustedPage([query], { bulk: false, ...(signal === undefined ? {} : { signal }) });
      if (outcome === undefined) throw nothingFound();
      if ('error' in outcome) throw outcome.error;
      return outcome.answer as TraceAnswer<TrustedRecord>;
    },

    async fast(query, signal) {
      const asked = askedBy(query);
      const reader = await parts.readerKey();
      const body = { encryptionKey: reader.publicKey.jwk, query: asked };
      const answer = parseAnswer(
        answerSchemas.fastQuery,
        await parts.api().call('POST', 'v1/fast-queries', body, signal),
      );
      if (answer.records.length === 0) throw nothingFound();
      const records = await Promise.all(
        answer.records.map(async ({ envelope, jwe, ...hit }) => {
          const hint = toHint(hit);
          const bytes = Buffer.from(envelope, 'base64');
          const context = { channel: parts.channel, ...fastKeyPlace(parts.channel, hint, bytes) };
          const key = await unwrapConsignmentKey(jwe, { context, ownerKid: answer.ownerKid, reader });
          return openFastRecord(parts.channel, hint, bytes, key, asked);
        }),
      );
      return { trust: 'unverified', attestedBy: [], records, more: false };
    },
  };
}

function leastTrust(records: readonly TrustedRecord[]): TrustedRecord['trust'] {
  return records.some(({ trust }) => trust === 'confirmed') ? 'confirmed' : 'anchored';
}

/** How to answer many queries. */
export interface TraceManyOptions {
  readonly mode?: 'trusted' | 'fast';
  readonly signal?: AbortSignal;
}

/** Pages that are worked on at once. */
const pagesAtOnce = 4;
const fastAtOnce = 32;

/**
 * Answers a stream of queries, in order. Trusted ones go in pages of 500, several at once; the input is read no further ahead than that.
 * @throws WaymarkError what ends everything: the service does not answer or refuses the caller
 */
export async function* traceMany(
  tracing: Tracing,
  queries: Iterable<TraceQuery> | AsyncIterable<TraceQuery>,
  { mode = 'trusted', signal }: TraceManyOptions = {},
): AsyncGenerator<TraceOutcome, void, undefined> {
  const limits = signal === undefined ? {} : { signal };
  const answerPage = (page: readonly TraceQuery[], first: boolean): Promise<TraceOutcome[]> =>
    mode === 'trusted'
      ? tracing.trustedPage(page, { bulk: !first || page.length === lookupPage, ...limits })
      : Promise.all(page.map((query) => outcomeOf(tracing.fast(query, signal))));
  const pageSize = mode === 'trusted' ? lookupPage : fastAtOnce;
  const pending: Promise<TraceOutcome[]>[] = [];
  let first = true;
  for await (const page of pagesOf(queries, pageSize)) {
    const outcomes = answerPage(page, first);
    first = false;
    outcomes.catch(() => undefined); // its turn to be awaited comes later
    pending.push(outcomes);
    if (pending.length >= (mode === 'trusted' ? pagesAtOnce : 1)) yield* (await pending.shift()) ?? [];
  }
  for (const outcomes of pending) yield* await outcomes;
}

async function outcomeOf(answer: Promise<TraceAnswer>): Promise<TraceOutcome> {
  try {
    return { answer: await answer };
  } catch (error) {
    if (isWaymarkError(error)) return { error };
    throw error;
  }
}

async function* pagesOf<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
