import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { IssuedTls } from '../ca/index.ts';
import { DevnetError, messageOf } from '../errors.ts';
import { readProtobufStrictly } from '../protobuf/strict-reading.ts';
import { createCallGuard } from './grpc/call-guard.ts';
import { listenTls, type TlsListener } from './grpc/tls-listener.ts';

/** As Fabric's default: no larger block, proposal or response goes through. */
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;
const MAX_STREAMS_OF_CONNECTION = 10_000;
/** As Fabric's peer.keepalive. */
const KEEPALIVE_INTERVAL_MS = 2 * 60 * 60 * 1000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** As Fabric's peer.limits.concurrency for all services but the gateway. */
const DEFAULT_CONCURRENCY_LIMIT = 2_500;
const GRACE_MS = 500;

export interface GrpcEndpoint {
  /** `host:port` as bound. */
  readonly address: string;
  /** Lets running calls end for a moment, then ends them. */
  close(): Promise<void>;
}

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
  /** Calls served at once; more get UNKNOWN, with Fabric's text. Default 2,500. */
  readonly concurrencyLimit?: number;
}

/**
 * Serves gRPC over TLS. Services and methods that are not there answer UNIMPLEMENTED with their name. Throws DevnetError
 * ADDRESS_IN_USE.
 */
export async function serveGrpc(
  address: { readonly host: string; readonly port: number },
  tls: IssuedTls,
  services: readonly GrpcService[],
): Promise<GrpcEndpoint> {
  readProtobufStrictly();
  let listener: TlsListener | undefined;
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': MAX_STREAMS_OF_CONNECTION,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
    interceptors: [
      createCallGuard({
        maxMessageBytes: MAX_MESSAGE_BYTES,
        concurrencyLimits: new Map(services.map((service) => [nameOf(service), limitOf(service)])),
        callOpened: (connection) => listener?.callOpened(connection) ?? (() => undefined),
      }),
    ],
  });
  for (const { definition, handlers } of services) server.addService(definition, handlers);
  // The connections come with TLS on them.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const target = `${address.host}:${address.port}`;
  try {
    listener = await listenTls({
      ...address,
      privateKeyPem: tls.privateKeyPem,
      certificatePem: tls.certificatePem,
      accept: (socket) => injector.injectConnection(socket),
    });
  } catch (cause) {
    throw new DevnetError('ADDRESS_IN_USE', `cannot listen on ${target}: ${messageOf(cause)}`, { cause });
  }
  return { address: target, close: () => closeServer(server, listener) };
}

async function closeServer(server: Server, listener: TlsListener): Promise<void> {
  listener.stop();
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS);
    }),
  ]);
  clearTimeout(timer);
  server.forceShutdown();
  listener.destroy();
}

/** `/package.Service`, as at the start of its methods' paths. */
function nameOf({ definition }: GrpcService): string {
  const path = Object.values(definition)[0]?.path ?? '';
  return path.slice(0, path.lastIndexOf('/'));
}

function limitOf({ concurrencyLimit }: GrpcService): number {
  return concurrencyLimit ?? DEFAULT_CONCURRENCY_LIMIT;
}
