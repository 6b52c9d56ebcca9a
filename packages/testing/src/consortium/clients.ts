import { request } from 'node:https';
import {
  clientCredentials,
  clientOptions,
  OutletClient,
  openBidi,
  type BidiStream,
  type RecordMessage,
  type SubmitRequest,
  type SubmitResponse,
} from '@waymark/transport';
import type { TestFirm } from './firm.ts';

/** A certificate with its key, as PEM text. */
export interface Pem {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A record as tests write it. */
export interface TestRecord {
  readonly eventId: string;
  readonly revision?: number;
  readonly consignment?: string;
  readonly schema?: string;
  readonly collectionTime?: string;
  readonly businessIds?: readonly { readonly type: string; readonly value: string }[];
  readonly payload?: unknown;
}

/** What became of one record. */
export interface SubmitOutcome {
  readonly accepted?: SubmitResponse['receipts'][number];
  readonly anchored?: SubmitResponse['receipts'][number];
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A client that submits to an outlet. */
export interface SubmitClient {
  readonly client: OutletClient;
  open(): BidiStream<SubmitRequest, SubmitResponse>;
  /** Sends records in one request and waits until each is anchored or refused; outcomes in their order. */
  submit(records: readonly TestRecord[]): Promise<SubmitOutcome[]>;
  close(): void;
}

/** The record message of a test record. */
export function recordMessage(record: TestRecord, ref: number): RecordMessage {
  return {
    ref,
    eventId: record.eventId,
    revision: record.revision ?? 0,
    consignment: record.consignment ?? 'C-1',
    schema: record.schema ?? 'urn:waymark:test',
    collectionTime: record.collectionTime ?? '2026-03-01T12:00:00.000Z',
    businessIds: (record.businessIds ?? []).map(({ type, value }) => ({ type, value })),
    payloadJson: Buffer.from(JSON.stringify(record.payload ?? { place: record.eventId })),
  };
}

/** Connects to an outlet as `identity`. */
export function submitClient(firm: TestFirm, grpcPort: number, identity: Pem): SubmitClient {
  const client = new OutletClient(
    `127.0.0.1:${String(grpcPort)}`,
    clientCredentials([firm.organisation.gateway.tlsRootCertPem], {
      certificateChainPem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
    }),
    clientOptions(),
  );
  const open = (): BidiStream<SubmitRequest, SubmitResponse> => openBidi(client.submit());
  return {
    client,
    open,
    async submit(records) {
      const stream = open();
      const outcomes: { -readonly [Key in keyof SubmitOutcome]: SubmitOutcome[Key] }[] = records.map(() => ({}));
      await stream.write({ records: records.map(recordMessage), flush: true });
      stream.finish();
      for await (const { receipts, failures } of stream.responses) {
        for (const receipt of receipts) {
          const outcome = outcomes[receipt.ref];
          if (outcome !== undefined) outcome[receipt.state === 'anchored' ? 'anchored' : 'accepted'] = receipt;
        }
        for (const { ref, failure } of failures) {
          const outcome = outcomes[ref];
          if (outcome !== undefined && failure !== undefined) outcome.failure = failure;
        }
      }
      return outcomes;
    },
    close: () => client.close(),
  };
}

/** An answer of a REST interface. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  /** The body as JSON; undefined when it is none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** A REST client with a certificate. */
export type RestClient = (
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  options?: { readonly headers?: Readonly<Record<string, string>>; readonly raw?: Uint8Array },
) => Promise<RestAnswer>;

/** Calls a service's REST interface as `identity`. */
export function restClient(firm: TestFirm, apiPort: number, identity: Pem): RestClient {
  return (method, path, body, options = {}) =>
    new Promise((resolve, reject) => {
      const bytes = options.raw ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
      const call = request(
        {
          host: '127.0.0.1',
          port: apiPort,
          method,
          path,
          ca: firm.organisation.gateway.tlsRootCertPem,
          cert: identity.certificatePem,
          key: identity.privateKeyPem,
          agent: false,
          headers: {
            ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
            ...options.headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const all = Buffer.concat(chunks);
            const { statusCode = 0, headers } = response;
            resolve({ status: statusCode, headers, bytes: all, body: asJson(all) });
          });
        },
      );
      call.on('error', reject);
      call.end(bytes);
    });
}

function asJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
