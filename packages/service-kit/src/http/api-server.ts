import { createServer, type Server } from 'node:https';
import type { IncomingMessage, RequestListener } from 'node:http';
import { TLSSocket } from 'node:tls';
import { WaymarkError } from '@waymark/protocol';
import { readTlsFiles, type TlsFiles } from '../configuration/files.ts';
import type { Component } from '../lifecycle/component.ts';
import { closeHttpServer, listen } from './listen.ts';

/** Where to listen, as whom, and for whom. */
export interface ApiServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Files, or who knows which they are now (see `reload`). */
  readonly tls: TlsFiles | (() => TlsFiles);
  readonly handler: RequestListener;
  /** Default 1,000. */
  readonly maxConnections?: number;
  /** Time for a client to send its headers. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** Time for a client to send a whole request. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Time to finish open requests when stopping. Default 5,000. */
  readonly graceMs?: number;
}

/** A server that only talks to clients whose certificate one of its client CAs issued. */
export interface ApiServer extends Component {
  /** The port it listens on, once started. */
  readonly port: number;
  /** Reads the TLS files again; connections that are open stay. @throws WaymarkError `configuration-invalid`, and goes on with what it had */
  reload(): void;
}

/** An HTTPS server with mutual TLS and limits on slow, silent and numerous clients. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000, graceMs = 5_000 } = options;
  let server: Server | undefined;
  let port = options.port;
  const secureContext = (): { cert: string; key: string; ca: string[] } => {
    const files = typeof options.tls === 'function' ? options.tls() : options.tls;
    const { certificateChainPem, privateKeyPem, clientCaPems } = readTlsFiles(files);
    if (clientCaPems.length === 0)
      throw new WaymarkError('configuration-invalid', 'mutual TLS needs at least one client CA');
    return { cert: certificateChainPem, key: privateKeyPem, ca: [...clientCaPems] };
  };
  return {
    name: 'api',
    get port() {
      return port;
    },
    reload() {
      const context = secureContext();
      try {
        server?.setSecureContext({ ...context, minVersion: 'TLSv1.2' });
      } catch (cause) {
        throw new WaymarkError('configuration-invalid', 'a TLS certificate or key does not parse', { cause });
      }
    },
    async start() {
      const context = secureContext();
      try {
        server = createServer(
          {
            ...context,
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.2',
            handshakeTimeout: headersTimeoutMs,
            maxHeaderSize: 16 * 1024,
            headersTimeout: headersTimeoutMs,
            requestTimeout: requestTimeoutMs,
            keepAliveTimeout: 30_000,
            connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
          },
          options.handler,
        );
      } catch (cause) {
        throw new WaymarkError('configuration-invalid', 'a TLS certificate or key does not parse', { cause });
      }
      server.maxConnections = options.maxConnections ?? 1_000;
      port = await listen(server, options.host, options.port);
    },
    async stop() {
      if (server !== undefined) await closeHttpServer(server, graceMs);
    },
  };
}

/** Who is on the other side of a request, as the TLS handshake proved it. */
export interface PeerIdentity {
  /** DER of the client's certificate. */
  readonly certificate: Uint8Array;
}

/**
 * The certificate of the client. Its chain was verified against the client CAs; what the holder may do is for the caller
 * to decide.
 *
 * @throws WaymarkError `certificate-untrusted` when there is none
 */
export function peerIdentity(request: Pick<IncomingMessage, 'socket'>): PeerIdentity {
  const { socket } = request;
  const raw = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  if (raw === undefined) throw new WaymarkError('certificate-untrusted', 'a client certificate is needed');
  return { certificate: new Uint8Array(raw) };
}
