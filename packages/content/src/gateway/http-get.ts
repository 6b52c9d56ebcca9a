import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { WaymarkError } from '@waymark/protocol';
import { joinBytes } from '../block/join-bytes.ts';

/** PEM texts for TLS with a private CA or a client certificate. */
export interface GatewayTls {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: IncomingMessage;
}

/** Sends GET and HEAD to one base URL over kept connections. Redirects are not followed. */
export class HttpClient {
  readonly #base: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #maxConnections: number;

  /** @throws `configuration-invalid` */
  constructor(baseUrl: string, tls: GatewayTls | undefined, maxConnections: number) {
    this.#base = parseBase(baseUrl);
    this.#maxConnections = maxConnections;
    const pool = { keepAlive: true, maxSockets: maxConnections };
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({ ...pool, ca: tls?.ca, cert: tls?.certificate, key: tls?.privateKey })
        : new HttpAgent(pool);
  }

  /** @throws `unavailable` when no answer begins; the caller reads or destroys the body */
  async send(
    method: 'GET' | 'HEAD',
    path: string,
    accept: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    // The other side may just have closed a kept connection, or all of them: that says nothing about the gateway.
    for (let left = this.#maxConnections; ; left -= 1) {
      try {
        return await this.#sendOnce(method, path, accept, signal);
      } catch (error) {
        if (!(error instanceof KeptConnectionClosed) || left === 0) throw noAnswer(error);
      }
    }
  }

  async #sendOnce(
    method: 'GET' | 'HEAD',
    path: string,
    accept: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const request = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
    const url = new URL(path, this.#base);
    const headers = { accept, 'accept-encoding': 'identity' };
    return await new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        { method, agent: this.#agent, headers, ...(signal === undefined ? {} : { signal }) },
        (body) => resolve({ status: body.statusCode ?? 0, contentType: body.headers['content-type'] ?? '', body }),
      );
      outgoing.once('error', (cause) =>
        reject(outgoing.reusedSocket && signal?.aborted !== true ? new KeptConnectionClosed(cause) : cause),
      );
      outgoing.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A connection that was kept for the next request broke before an answer began. */
class KeptConnectionClosed extends Error {
  constructor(cause: unknown) {
    super('a kept connection was closed', { cause });
  }
}

/**
 * Reads a body to its end.
 * @returns undefined when it is longer than the limit
 * @throws `unavailable` when the connection breaks
 */
export async function readBounded(body: IncomingMessage, maxSizeBytes: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      sizeBytes += piece.length;
      if (sizeBytes > maxSizeBytes) return undefined;
      pieces.push(piece);
    }
  } catch (cause) {
    throw noAnswer(cause);
  } finally {
    body.destroy();
  }
  return joinBytes(pieces);
}

function parseBase(baseUrl: string): URL {
  let base: URL;
  try {
    base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', 'The gateway address is not a URL.', { cause });
  }
  if (base.protocol === 'http:' || base.protocol === 'https:') return base;
  throw new WaymarkError('configuration-invalid', 'The gateway address is not an http or https URL.');
}

function noAnswer(cause: unknown): WaymarkError {
  return new WaymarkError('unavailable', 'The gateway did not answer.', {
    details: { source: 'gateway', reason: 'connection' },
    cause,
  });
}
