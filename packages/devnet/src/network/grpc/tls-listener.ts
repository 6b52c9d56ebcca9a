import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';

/** As Fabric's: TLS handshake, HTTP/2 preface and settings must be there by then (internal/pkg/comm/config.go). */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** Preface and an empty SETTINGS frame (RFC 9113, section 3.4). */
const PREFACE_BYTES = 24 + 9;
const MAX_CONNECTIONS = 1_000;

export interface TlsListenerParams {
  readonly host: string;
  readonly port: number;
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  /** Gets each connection whose handshake is done. */
  readonly accept: (socket: TLSSocket) => void;
}

export interface TlsListener {
  readonly port: number;
  /** A call begins on the connection from `host:port`; the result tells that it is over. */
  callOpened(connection: string): () => void;
  /** No new connections. */
  stop(): void;
  /** Ends all connections. */
  destroy(): void;
}

interface Connection {
  readonly socket: Socket;
  calls: number;
}

/**
 * Accepts TLS connections for HTTP/2. Connections that say nothing are ended, and of too many the one that has been without
 * calls for longest. Rejects with the error of the operating system when the port cannot be had.
 */
export async function listenTls(params: TlsListenerParams): Promise<TlsListener> {
  const connections = new Map<string, Connection>();
  const server = createServer({
    key: params.privateKeyPem,
    cert: params.certificatePem,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });

  server.on('connection', (socket: Socket) => {
    const name = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    socket.once('close', () => connections.delete(name));
    socket.on('error', () => undefined);
    connections.set(name, { socket, calls: 0 });
    if (connections.size > MAX_CONNECTIONS) endIdle(connections, socket);
  });
  server.on('secureConnection', (socket) => {
    // Whoever breaks a connection off is no concern of ours.
    socket.on('error', () => undefined);
    const timer = setTimeout(() => {
      if (socket.bytesRead < PREFACE_BYTES) socket.destroy();
    }, HANDSHAKE_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
    params.accept(socket);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(params.port, params.host, () => {
      server.removeListener('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    callOpened: (name) => {
      const connection = connections.get(name);
      if (connection === undefined) return () => undefined;
      connection.calls++;
      return () => {
        connection.calls--;
        if (connection.calls > 0 || !connections.delete(name)) return;
        // To the end of the line: it was of use just now.
        connections.set(name, connection);
      };
    },
    stop: () => void server.close(),
    destroy: () => {
      for (const { socket } of [...connections.values()]) socket.destroy();
    },
  };
}

/** Ends the connection that has been idle for longest; when all have calls, the new one. */
function endIdle(connections: ReadonlyMap<string, Connection>, newest: Socket): void {
  for (const { socket, calls } of connections.values()) {
    if (calls > 0) continue;
    socket.destroy();
    return;
  }
  newest.destroy();
}
