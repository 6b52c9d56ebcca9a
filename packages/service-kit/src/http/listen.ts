import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WaymarkError } from '@waymark/protocol';

/** Starts listening. @throws WaymarkError `configuration-invalid` when the address is not to be had */
export function listen(
  server: Pick<Server, 'listen' | 'once' | 'off' | 'address'>,
  host: string,
  port: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => {
      reject(
        new WaymarkError('configuration-invalid', `cannot listen on ${host}:${port}`, {
          details: { host, port },
          cause,
        }),
      );
    };
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Takes no new requests, lets open ones finish for `graceMs`, then ends them. */
export async function closeHttpServer(
  server: Pick<Server, 'close' | 'closeIdleConnections' | 'closeAllConnections' | 'listening'>,
  graceMs: number,
): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
