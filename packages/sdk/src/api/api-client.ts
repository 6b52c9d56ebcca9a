import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { type ErrorCode, errorCodes, isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { TlsIdentity } from '@waymark/transport';

/** Fifty records of 1 MiB in base64, and their keys. */
const maxAnswerSizeBytes = 96 * 1024 * 1024;
const defaultTimeoutMs = 60_000;
const maxConnections = 16;

/** JSON calls to the REST of an outlet or a center, over mutual TLS and kept connections. */
export interface ApiClient {
  /** @throws WaymarkError the code of the problem the service answered with; unavailable when it did not answer */
  call(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown, signal?: AbortSignal): Promise<unknown>;
  close(): void;
}

/** Where the REST is and who calls it. */
export interface ApiClientOptions {
  readonly url: string;
  readonly tlsRootPem: string;
  readonly identity: TlsIdentity;
  /** For one call. Default 60,000. */
  readonly timeoutMs?: number;
}

/** Connects lazily. @throws WaymarkError configuration-invalid when the address is not https or the PEMs do not parse */
export function createApiClient({ url, tlsRootPem, identity, timeoutMs }: ApiClientOptions): ApiClient {
  const base = new URL(url.endsWith('/') ? url : `${url}/`);
  if (base.protocol !== 'https:') {
    throw new WaymarkError('configuration-invalid', 'api.url: expected an https URL', {
      details: { place: 'api.url' },
    });
  }
  const agent = new Agent({
    keepAlive: true,
    maxSockets: maxConnections,
    ca: tlsRootPem,
    cert: identity.certificateChainPem,
    key: identity.privateKeyPem,
  });
  const closing = new AbortController();
  return {
    async call(method, path, body, signal) {
      const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const limits = [closing.signal, AbortSignal.timeout(timeoutMs ?? defaultTimeoutMs)];
      const ended = AbortSignal.any(signal === undefined ? limits : [...limits, signal]);
      const send = (): Promise<IncomingMessage> =>
        new Promise((resolve, reject) => {
          const outgoing = httpsRequest(
            new URL(path.replace(/^\//, ''), base),
            {
              method,
              agent,
              signal: ended,
              headers: {
                accept: 'application/json',
                ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': text.length }),
              },
            },
            resolve,
          );
          outgoing.once('error', (cause) => reject(new NoAnswer(cause, outgoing.reusedSocket && !ended.aborted)));
          outgoing.end(text);
        });
      try {
        // A kept connection may have been closed by the other side just now: that says nothing about the service.
        const answer = await send().catch((error: unknown) =>
          error instanceof NoAnswer && error.retry ? send() : Promise.reject(error as Error),
        );
        return parseAnswer(answer.statusCode ?? 0, await readBody(answer));
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        if (isWaymarkError(error)) throw error;
        throw new WaymarkError('unavailable', `${base.host} did not answer`, {
          cause: error instanceof NoAnswer ? error.cause : error,
        });
      }
    },
    close: () => {
      closing.abort();
      agent.destroy();
    },
  };
}

class NoAnswer extends Error {
  readonly retry: boolean;
  constructor(cause: unknown, retry: boolean) {
    super('no answer', { cause });
    this.retry = retry;
  }
}

async function readBody(answer: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > maxAnswerSizeBytes)
      throw new WaymarkError('limit-exceeded', 'The answer of the service is too large.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function parseAnswer(status: number, body: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new WaymarkError('unavailable', `The service answered with status ${status} and without JSON.`, { cause });
  }
  if (status >= 200 && status < 300) return value;
  throw problemOf(status, value);
}

function problemOf(status: number, value: unknown): WaymarkError {
  const { code, detail } = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly code?: unknown;
    readonly detail?: unknown;
  };
  const known = typeof code === 'string' && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'unavailable';
  const message = typeof detail === 'string' && detail !== '' ? detail.slice(0, 1_000) : errorCodes[known];
  return new WaymarkError(known, message, { details: { status } });
}
