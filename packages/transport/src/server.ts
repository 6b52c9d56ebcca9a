import { Server, type ServerCredentials } from '@grpc/grpc-js';
import { WaymarkError } from '@waymark/protocol';
import { serverOptions } from './limits.ts';

/** A gRPC server that is listening. */
export interface GrpcServer {
  readonly port: number;
  /** Lets calls finish for `graceMs`, then ends them. */
  stop(graceMs: number): Promise<void>;
}

/** Where to listen, as whom, and with what: `addServices` calls `server.addService(...)`. */
export interface GrpcServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly addServices: (server: Server) => void;
}

/**
 * Starts a server with the limits of this package.
 *
 * @throws WaymarkError `configuration-invalid` when it cannot listen there.
 */
export async function startGrpcServer({
  host,
  port,
  credentials,
  addServices,
}: GrpcServerOptions): Promise<GrpcServer> {
  const server = new Server(serverOptions());
  addServices(server);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, boundPort) => {
      if (error === null) resolve(boundPort);
      else reject(new WaymarkError('configuration-invalid', `cannot listen on ${host}:${port}`, { cause: error }));
    });
  });
  return {
    port: bound,
    async stop(graceMs) {
      const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      const timer = setTimeout(() => server.forceShutdown(), graceMs);
      await drained;
      clearTimeout(timer);
    },
  };
}
