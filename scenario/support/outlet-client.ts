import {
  type BidiStream,
  clientCredentials,
  clientOptions,
  openBidi,
  OutletClient,
  type RecordMessage,
  type SubmitRequest,
  type SubmitResponse,
} from '@waymark/transport';
import type { Firm, Identity } from './running-consortium.ts';

/** A record as the scenarios write it. */
export interface ScenarioRecord {
  readonly eventId: string;
  readonly revision?: number;
  readonly consignment: string;
  readonly schema?: string;
  readonly collectionTime?: string;
  readonly businessIds?: readonly { readonly type: string; readonly value: string }[];
  readonly payload: unknown;
}

/** What became of one record. */
export interface SubmitOutcome {
  accepted?: SubmitResponse['receipts'][number];
  anchored?: SubmitResponse['receipts'][number];
  failure?: { readonly code: string; readonly message: string };
}

/** A client of an outlet's gRPC service. */
export interface OutletConnection {
  readonly client: OutletClient;
  open(): BidiStream<SubmitRequest, SubmitResponse>;
  /** Resolves once the outlet answers; rejects after `deadlineMs`. */
  ready(deadlineMs?: number): Promise<void>;
  /** Sends records in one request and waits until each is anchored or refused; outcomes in their order. */
  submit(records: readonly ScenarioRecord[]): Promise<SubmitOutcome[]>;
  close(): void;
}

/** The message of a record. */
export function recordMessage(record: ScenarioRecord, ref: number): RecordMessage {
  return {
    ref,
    eventId: record.eventId,
    revision: record.revision ?? 0,
    consignment: record.consignment,
    schema: record.schema ?? 'urn:waymark:scenario',
    collectionTime: record.collectionTime ?? '2026-03-01T12:00:00.000Z',
    businessIds: (record.businessIds ?? []).map(({ type, value }) => ({ type, value })),
    payloadJson: Buffer.from(JSON.stringify(record.payload)),
  };
}

/** Connects to the firm's outlet as `identity`. */
export function connectOutlet(firm: Firm, identity: Identity): OutletConnection {
  const client = new OutletClient(
    `127.0.0.1:${String(firm.ports.outlet.grpcPort)}`,
    clientCredentials([firm.tlsRootPem], {
      certificateChainPem: identity.certificatePem,
      privateKeyPem: identity.privateKeyPem,
    }),
    { ...clientOptions(), 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 400 },
  );
  const open = (): BidiStream<SubmitRequest, SubmitResponse> => openBidi(client.submit());
  return {
    client,
    open,
    ready: (deadlineMs = 10_000) =>
      new Promise((resolve, reject) =>
        client.waitForReady(Date.now() + deadlineMs, (error) => (error === undefined ? resolve() : reject(error))),
      ),
    async submit(records) {
      const stream = open();
      const outcomes: SubmitOutcome[] = records.map(() => ({}));
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
