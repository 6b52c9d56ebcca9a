import { Client, credentials, Metadata, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import type { NodeConnection } from '@waymark/devnet';

const LARGE_MESSAGE_BYTES = 200 * 1024 * 1024;
const asIs = (bytes: Buffer) => bytes;

/** What a call came to: a gRPC status (0 is OK), its text, and the messages that came. */
export interface Outcome {
  readonly code: number;
  readonly text: string;
  readonly trailer: string;
  readonly messages: readonly Buffer[];
}

/** A gRPC client that sends bytes as they are, whatever the method expects. */
export interface RawClient {
  readonly node: NodeConnection;
  unary(path: string, request: Uint8Array, timeoutMs: number): Promise<Outcome>;
  /** Sends all requests, and gives what has come when the server ends or `timeoutMs` are over (then with code -1). */
  stream(path: string, requests: readonly Uint8Array[], timeoutMs: number): Promise<Outcome>;
  /** A stream that is left to the caller, who must cancel it. */
  open(path: string): ClientDuplexStream<Buffer, Buffer>;
  close(): void;
}

export function createRawClient(node: NodeConnection, options: Record<string, number> = {}): RawClient {
  const client = new Client(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)), {
    'grpc.max_receive_message_length': LARGE_MESSAGE_BYTES,
    'grpc.max_send_message_length': LARGE_MESSAGE_BYTES,
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
  const open = (path: string) => client.makeBidiStreamRequest(path, asIs, asIs);
  return {
    node,
    unary: (path, request, timeoutMs) =>
      new Promise((resolve) => {
        const options = { deadline: Date.now() + timeoutMs };
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from(request), new Metadata(), options, (error, response) => {
          resolve(error === null ? okOutcome(response === undefined ? [] : [response]) : errorOutcome(error, []));
        });
      }),
    stream: (path, requests, timeoutMs) =>
      new Promise((resolve) => {
        const call = open(path);
        const messages: Buffer[] = [];
        const done = (outcome: Outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        };
        const timer = setTimeout(() => {
          done({ code: -1, text: '', trailer: '', messages });
          call.cancel();
        }, timeoutMs);
        call.on('data', (message: Buffer) => messages.push(message));
        call.on('error', (error: ServiceError) => done(errorOutcome(error, messages)));
        call.on('status', ({ code }: { code: number }) => {
          if (code === 0) done(okOutcome(messages));
        });
        for (const request of requests) call.write(Buffer.from(request));
        call.end();
      }),
    open,
    close: () => client.close(),
  };
}

function okOutcome(messages: readonly Buffer[]): Outcome {
  return { code: 0, text: '', trailer: '', messages };
}

function errorOutcome(error: ServiceError, messages: readonly Buffer[]): Outcome {
  const trailer = error.metadata.get('grpc-status-details-bin').map((value) => Buffer.from(value).toString('utf8'));
  return { code: error.code, text: error.details, trailer: trailer.join(), messages };
}
