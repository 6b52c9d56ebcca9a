import { setImmediate as nextLoop } from 'node:timers/promises';
import type { handleBidiStreamingCall, Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { WaymarkError } from '@waymark/protocol';
import { peerCertificate } from '../credentials.ts';
import { toServiceError } from '../errors.ts';
import { messageWriter, type MessageWriter } from './writer.ts';

/** What a handler may know of the call it serves. */
export interface CallContext {
  /** DER of the client's certificate, verified by TLS; undefined without mutual TLS. */
  readonly peerCertificate: Uint8Array | undefined;
  /** Network address of the client. */
  readonly peer: string;
  readonly metadata: Metadata;
  /** Aborts when the client is gone or the call is over. */
  readonly signal: AbortSignal;
}

/**
 * Serves one stream. The requests end when the client has finished; not reading them holds the client back. When the
 * promise resolves the stream ends with OK, when it rejects with the status of the error (`toServiceError`).
 */
export type BidiHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  responses: MessageWriter<Response>,
  context: CallContext,
) => Promise<void>;

/** Limits on the streams of one method. */
export interface StreamLimits {
  /** Streams open at once, over all clients; one more is refused with `limit-exceeded`. Default 1,024. */
  readonly maxOpenStreams?: number;
  /** Streams open at once for one client certificate. Default 64. */
  readonly maxOpenStreamsPerPeer?: number;
  /** A stream without a message either way for so long is ended with `limit-exceeded`. Default: never. */
  readonly idleTimeoutMs?: number;
}

/** Turns a handler on iterables into grpc-js's form of a bidirectional method. */
export function serveBidi<Request, Response>(
  handler: BidiHandler<Request, Response>,
  limits: StreamLimits = {},
): handleBidiStreamingCall<Request, Response> {
  const { maxOpenStreams = 1_024, maxOpenStreamsPerPeer = 64, idleTimeoutMs } = limits;
  const openByPeer = new Map<string, number>();
  let open = 0;
  return (call) => {
    const certificate = peerCertificate(call);
    const peerKey = certificate === undefined ? '' : Buffer.from(certificate).toString('base64');
    const openOfPeer = openByPeer.get(peerKey) ?? 0;
    if (open >= maxOpenStreams || (peerKey !== '' && openOfPeer >= maxOpenStreamsPerPeer)) {
      call.emit('error', toServiceError(new WaymarkError('limit-exceeded', 'too many open streams')));
      return;
    }
    open += 1;
    openByPeer.set(peerKey, openOfPeer + 1);
    void serve(call, certificate, handler, idleTimeoutMs).finally(() => {
      open -= 1;
      const left = (openByPeer.get(peerKey) ?? 1) - 1;
      if (left === 0) openByPeer.delete(peerKey);
      else openByPeer.set(peerKey, left);
    });
  };
}

async function serve<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  certificate: Uint8Array | undefined,
  handler: BidiHandler<Request, Response>,
  idleTimeoutMs: number | undefined,
): Promise<void> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(new WaymarkError('unavailable', 'the client is gone'));
  call.once('cancelled', stop);
  call.once('close', stop);
  const idle = idleTimer(idleTimeoutMs, abort);
  const context = { peerCertificate: certificate, peer: call.getPeer(), metadata: call.metadata, signal: abort.signal };
  const writer = messageWriter<Response>(call);
  const responses: MessageWriter<Response> = {
    async write(message) {
      idle.touch();
      await writer.write(message);
    },
  };
  const overtime = new Promise<never>((_, reject) => {
    abort.signal.addEventListener('abort', () => {
      reject(abort.signal.reason as Error);
    });
  });
  try {
    await Promise.race([handler(requestsOf(call, idle, abort.signal), responses, context), overtime]);
    call.end();
  } catch (error) {
    if (!call.destroyed) call.emit('error', toServiceError(error));
  } finally {
    idle.stop();
    stop();
  }
}

async function* requestsOf<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  idle: IdleTimer,
  signal: AbortSignal,
): AsyncGenerator<Request> {
  try {
    for await (const message of call.iterator({ destroyOnReturn: false }) as AsyncIterable<Request>) {
      idle.touch();
      yield message;
    }
    // grpc-js reports a client that broke off as one that finished, and says so a moment later.
    await nextLoop();
    if (signal.aborted) throw signal.reason;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new WaymarkError('unavailable', 'the request stream broke off', { cause });
  }
}

interface IdleTimer {
  touch(): void;
  stop(): void;
}

function idleTimer(timeoutMs: number | undefined, abort: AbortController): IdleTimer {
  if (timeoutMs === undefined) return { touch: () => undefined, stop: () => undefined };
  const timer = setTimeout(() => {
    abort.abort(new WaymarkError('limit-exceeded', 'the stream was idle for too long', { details: { timeoutMs } }));
  }, timeoutMs);
  return { touch: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}
