import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { IssuedTls } from '../ca/index.ts';
import { DevnetError } from '../errors.ts';

/** As Fabric's default: no larger block, proposal or response goes through. */
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;
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
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': 10_000,
  });
  for (const { definition, handlers } of services) server.addService(definition, handlers);
  const credentials = ServerCredentials.createSsl(
    null,
    [{ private_key: Buffer.from(tls.privateKeyPem), cert_chain: Buffer.from(tls.certificatePem) }],
    false,
  );
  const target = `${address.host}:${address.port}`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(target, credentials, (error) => {
      if (error === null) resolve();
      else reject(new DevnetError('ADDRESS_IN_USE', `cannot listen on ${target}: ${error.message}`, { cause: error }));
    });
  });
  return { address: target, close: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS);
    }),
  ]);
  clearTimeout(timer);
  server.forceShutdown();
}
