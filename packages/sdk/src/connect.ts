import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { type ShipmentRecord, WaymarkError } from '@waymark/protocol';
import type { FastRecord, TrustedRecord } from '@waymark/reading';
import { clientCredentials, clientOptions, openBidi, OutletClient } from '@waymark/transport';
import { type EncryptionKeyPair, generateEncryptionKeyPair, type OpenedExternalAnswer } from '@waymark/vault';
import { answerSchemas, parseAnswer } from './api/answers.ts';
import { type ApiClient, createApiClient } from './api/api-client.ts';
import { firstThatAnswers } from './api/first-that-answers.ts';
import { readIdentity, readProfileFile, readVerifiers } from './connection/identity.ts';
import { type ContentAccess, openContentAccess } from './content/content-reader.ts';
import {
  createExternalRequest,
  type ExternalRequest,
  openExternalAnswer,
  type SealedExternalAnswer,
  sendExternalRequest,
} from './external/external.ts';
import type { AskerKeys } from './keys/asker-keys.ts';
import { createHandedKeys } from './keys/handed-keys.ts';
import { readReaderKey } from './keys/reader-key.ts';
import { loadProfile } from './profile/load-profile.ts';
import type { Profile } from './profile/schema.ts';
import type { RecordInput } from './submit/record-message.ts';
import { type SubmitOptions, type SubmitReceipt, submitRecords, type SubmitResult } from './submit/submit-records.ts';
import type { TraceQuery } from './trace/queries.ts';
import { type CompareOptions, compareRecords, type ComparisonSummary } from './trace/trace-file.ts';
import { createTracing, type TraceAnswer, traceMany, type TraceManyOptions, type TraceOutcome } from './trace/trace.ts';

/** Who may ask external queries for the records of one consignment, as the outlet signed it. */
export interface AllowListState {
  readonly consignmentOid: string;
  readonly seq: number;
  readonly askerKids: readonly string[];
}

/** A connection of one identity to its firm and the channel. Nothing is opened before it is used. */
export interface Waymark {
  readonly profile: Profile;
  /**
   * Submits records; yields what becomes of each, in the order in which it becomes known.
   * @throws WaymarkError what ends the whole submission
   */
  submit(
    records: Iterable<RecordInput> | AsyncIterable<RecordInput>,
    options?: SubmitOptions,
  ): AsyncGenerator<SubmitResult, void, undefined>;
  /** Submits one record. @throws WaymarkError also what is wrong with the record: input-invalid, limit-exceeded, conflict */
  submitOne(record: RecordInput, options?: SubmitOptions): Promise<SubmitReceipt>;
  /**
   * Asks for records by trusted query (S7).
   * @throws WaymarkError data-abnormal, unavailable, refused (not yours or not there), key-unknown
   */
  trace(
    query: TraceQuery,
    options?: { readonly mode?: 'trusted'; readonly signal?: AbortSignal },
  ): Promise<TraceAnswer<TrustedRecord>>;
  /** Asks by fast query (S8): one request and one response, unverified. @throws WaymarkError as above */
  trace(
    query: TraceQuery,
    options: { readonly mode: 'fast'; readonly signal?: AbortSignal },
  ): Promise<TraceAnswer<FastRecord>>;
  /** Answers a stream of queries, one outcome each, in order. */
  traceMany(
    queries: Iterable<TraceQuery> | AsyncIterable<TraceQuery>,
    options?: TraceManyOptions,
  ): AsyncGenerator<TraceOutcome, void, undefined>;
  /** Asks for every record and compares content digests with the records given. */
  traceFile(
    records: Iterable<ShipmentRecord> | AsyncIterable<ShipmentRecord>,
    options?: CompareOptions,
  ): Promise<ComparisonSummary>;
  /** Posts a question of somebody outside, as a client of the firm (S9). */
  sendExternalRequest(request: Pick<ExternalRequest, 'request'>, signal?: AbortSignal): Promise<SealedExternalAnswer>;
  /** All three steps of an external query for an asker whose keys are at hand. */
  externalQuery(query: TraceQuery, asker: AskerKeys, signal?: AbortSignal): Promise<OpenedExternalAnswer>;
  /**
   * Says who may ask external queries for a consignment; replaces what was said before. Only with the outlet's own identity.
   * @param askerKids RFC 7638 thumbprints of the askers' signing keys
   */
  allow(consignment: string, askerKids: readonly string[]): Promise<AllowListState>;
  /** What was said by `allow`. */
  allowLists(): Promise<readonly AllowListState[]>;
  /** What the service behind `api` says of itself. */
  status(): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

/**
 * Prepares a connection.
 * @param profileOrPath a profile, or the path of its YAML file
 * @throws WaymarkError configuration-invalid
 */
export function connect(profileOrPath: Profile | string): Waymark {
  const profile = typeof profileOrPath === 'string' ? loadProfile(profileOrPath) : profileOrPath;
  const { mspId, channel } = profile;
  const identity = readIdentity(profile);
  const verifierOf = readVerifiers(profile);
  const closers: (() => void | Promise<void>)[] = [];

  const api = once((): ApiClient => {
    const { standbys = [], ...first } = required(profile.api, 'api');
    const client = firstThatAnswers(
      [first, ...standbys].map(({ url, tlsRootFile }) =>
        createApiClient({ url, tlsRootPem: readProfileFile(tlsRootFile), identity }),
      ),
    );
    closers.push(() => client.close());
    return client;
  });
  const ledger = once((): Ledger => {
    const { endpoint, tlsRootFile, tlsServerName } = required(profile.gateway, 'gateway');
    const { certificateChainPem, privateKeyPem } = identity;
    const connection = connectGateway({
      endpoint,
      tlsRootPem: readProfileFile(tlsRootFile),
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
      identity: { mspId, certificatePem: certificateChainPem, sign: privateKeySigner(privateKeyPem) },
      channel,
      chaincode: profile.chaincode,
    });
    closers.push(() => connection.close());
    return connection;
  });
  const outlet = once((): OutletClient => {
    const { endpoint, tlsRootFile } = required(profile.outlet, 'outlet');
    const credentials = clientCredentials([readProfileFile(tlsRootFile)], identity);
    const client = new OutletClient(endpoint, credentials, clientOptions());
    closers.push(() => client.close());
    return client;
  });
  const content = once(async (): Promise<ContentAccess> => {
    const access = await openContentAccess(profile, identity);
    closers.push(() => access.close());
    return access;
  });
  // Without a file the key lives as long as the connection: keys are handed to whoever the certificate names.
  const readerKey = once((): Promise<EncryptionKeyPair> =>
    profile.encryptionKeyFile === undefined
      ? Promise.resolve(generateEncryptionKeyPair('P-256'))
      : readReaderKey(profile.encryptionKeyFile),
  );
  const keys = createHandedKeys({ api, channel, readerKey });
  const tracing = createTracing({ channel, api, ledger, content, keys, readerKey, verifierOf });
  const submit: Waymark['submit'] = (records, options) =>
    submitRecords(() => openBidi(outlet().submit()), records, options);

  function trace(
    query: TraceQuery,
    options?: { mode?: 'trusted'; signal?: AbortSignal },
  ): Promise<TraceAnswer<TrustedRecord>>;
  function trace(query: TraceQuery, options: { mode: 'fast'; signal?: AbortSignal }): Promise<TraceAnswer<FastRecord>>;
  function trace(
    query: TraceQuery,
    { mode, signal }: { mode?: 'trusted' | 'fast'; signal?: AbortSignal } = {},
  ): Promise<TraceAnswer<TrustedRecord> | TraceAnswer<FastRecord>> {
    return mode === 'fast' ? tracing.fast(query, signal) : tracing.trusted(query, signal);
  }

  return {
    profile,
    submit,
    async submitOne(record, options) {
      for await (const result of submit([record], options)) {
        if ('error' in result) throw result.error;
        return result.receipt;
      }
      throw new WaymarkError('unavailable', 'The outlet gave no receipt.');
    },
    trace,
    traceMany: (queries, options) => traceMany(tracing, queries, options),
    traceFile: (records, options) => compareRecords(tracing, records, options),
    sendExternalRequest: (request, signal) => sendExternalRequest(api(), request, signal),
    async externalQuery(query, asker, signal) {
      const request = await createExternalRequest(query, { channel, msp: mspId }, asker);
      const answer = await sendExternalRequest(api(), request, signal);
      return openExternalAnswer(answer, { nonce: request.nonce, asker, verifier: verifierOf(mspId) });
    },
    async allow(consignment, askerKids) {
      return parseAnswer(answerSchemas.allowList, await api().call('PUT', 'v1/allow-list', { consignment, askerKids }));
    },
    async allowLists() {
      return parseAnswer(answerSchemas.allowLists, await api().call('GET', 'v1/allow-list')).lists;
    },
    async status() {
      return parseAnswer(answerSchemas.status, await api().call('GET', 'v1/status'));
    },
    async close() {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function required<T>(section: T | undefined, name: string): T {
  if (section !== undefined) return section;
  throw new WaymarkError('configuration-invalid', `The profile has no "${name}", which this needs.`, {
    details: { place: name },
  });
}
