import { type RequestOptions, request } from 'node:https';
import type { Firm, Identity } from './running-consortium.ts';

/** An answer of a REST interface. */
export interface RestAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** How a call differs from an ordinary JSON call. */
export interface RestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes instead of a JSON body. */
  readonly raw?: Uint8Array;
}

/** Calls as one identity. */
export type RestClient = (
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  options?: RestOptions,
) => Promise<RestAnswer>;

/** TLS of a connection to a service of the firm. */
export function tlsOptions(
  firm: Firm,
  identity: Identity | undefined,
  port: number,
): RequestOptions & { port: number } {
  return {
    host: '127.0.0.1',
    port,
    ca: firm.tlsRootPem,
    ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.privateKeyPem }),
  };
}

/** A REST client for the service of `firm` that listens on `port`. */
export function restClient(firm: Firm, port: number, identity: Identity): RestClient {
  return (method, path, body, options = {}) =>
    new Promise((resolve, reject) => {
      const bytes = options.raw ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
      const call = request(
        {
          ...tlsOptions(firm, identity, port),
          method,
          path,
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
            const text = Buffer.concat(chunks).toString('utf8');
            const { statusCode = 0, headers } = response;
            resolve({ status: statusCode, type: headers['content-type'] ?? '', text, body: asJson(text) });
          });
        },
      );
      call.on('error', reject);
      call.end(bytes);
    });
}

function asJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
