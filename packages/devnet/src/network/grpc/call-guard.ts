import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { MemoryBudget, type Holder } from './memory-budget.ts';
import { MessageDecoder } from './message-decoder.ts';
import { sendableStatus } from './status-text.ts';

/** Calls of one port that have not said yet what they want. */
const MAX_AWAITING_CALLS = 5_000;
/** An answer that its client has not read counts from this size on. */
const UNREAD_BYTES = 64 * 1024;

/** What all ports of the process keep for their callers. */
const RECEIVING = new MemoryBudget(512 * 1024 * 1024);
const SENDING = new MemoryBudget(512 * 1024 * 1024);

export interface CallGuardParams {
  readonly maxMessageBytes: number;
  /** Calls that a service serves at once, by name of the service with a slash before it. */
  readonly concurrencyLimits: ReadonlyMap<string, number>;
  /** Told of each call by its connection, `host:port`; the result is called when the call is over. */
  readonly callOpened: (connection: string) => () => void;
}

/** What the calls of grpc-js have inside: there is no other way to see how much of a message has come, or gone. */
interface InnermostCall {
  readonly stream: ServerHttp2Stream;
  decoder: Pick<MessageDecoder, 'write'>;
}

interface Service {
  readonly name: string;
  readonly limit: number;
  active: number;
}

/** Bounds what one port does and keeps for its callers (Fabric: internal/peer/node/grpc_limiters.go, and what gRPC for Go bounds by itself). */
export function createCallGuard(params: CallGuardParams): ServerInterceptor {
  const services = new Map<string, Service>();
  for (const [name, limit] of params.concurrencyLimits) services.set(name, { name, limit, active: 0 });
  const awaiting = new Set<ServerHttp2Stream>();

  return (method, call) => {
    const inner = innermost(call);
    const { stream } = inner;
    const service = services.get(method.path.slice(0, method.path.lastIndexOf('/')));
    const calm = () => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    const decoder = new MessageDecoder({ maxMessageBytes: params.maxMessageBytes, budget: RECEIVING, cut: calm });
    inner.decoder = decoder;
    const { remoteAddress = '', remotePort = 0 } = call.getConnectionInfo();
    const callClosed = params.callOpened(`${remoteAddress}:${remotePort}`);
    let permit: Service | undefined;
    let answered = false;
    let unread: Holder | undefined;

    const release = () => {
      if (permit === undefined || !stream.closed) return;
      // A call that its client gave up is still at work until it has its answer.
      if (!answered && !method.responseStream) return;
      permit.active--;
      permit = undefined;
    };
    const acquire = (): boolean => {
      awaiting.delete(stream);
      if (service === undefined) return true;
      if (service.active >= service.limit) {
        const details = `too many requests for ${service.name}, exceeding concurrency limit (${service.limit})`;
        call.sendStatus({ code: status.UNKNOWN, details });
        return false;
      }
      service.active++;
      permit = service;
      return true;
    };
    stream.once('close', () => {
      awaiting.delete(stream);
      decoder.release();
      SENDING.release(unread);
      callClosed();
      release();
    });
    stream.on('drain', () => {
      SENDING.release(unread);
      unread = undefined;
    });
    awaiting.add(stream);
    for (const oldest of awaiting) {
      if (awaiting.size <= MAX_AWAITING_CALLS) break;
      awaiting.delete(oldest);
      oldest.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }

    let refused = false;
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMessage: (message, forward) => {
            if (method.requestStream && permit === undefined && !refused) refused = !acquire();
            if (!refused) forward(message);
          },
          onReceiveHalfClose: (forward) => {
            if (permit === undefined && !refused) refused = !acquire();
            if (!refused) forward();
          },
        });
      },
      sendMessage: (message, next) => {
        answered = true;
        next(message);
        const unreadBytes = stream.writableLength;
        if (unreadBytes > UNREAD_BYTES && !stream.closed) {
          SENDING.release(unread);
          unread = SENDING.hold(undefined, unreadBytes, calm);
          if (unread === undefined) calm();
        }
        release();
      },
      sendStatus: (answer, next) => {
        answered = true;
        next(sendableStatus(answer));
        release();
      },
    });
  };
}

function innermost(call: unknown): InnermostCall {
  const { stream, decoder } = call as Partial<InnermostCall>;
  if (stream === undefined || decoder === undefined)
    throw new Error('grpc-js has changed: a call has no stream and decoder');
  return call as InnermostCall;
}
