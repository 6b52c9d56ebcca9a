import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import type { gateway } from '@hyperledger/fabric-protos';
import { chaincodeEvents } from './chaincode-events.ts';
import { createCommitNotifier, type CommitNotifier } from './commit-notifier.ts';
import { commitStatus } from './commit-status.ts';
import { endorse } from './endorse.ts';
import { evaluate } from './evaluate.ts';
import type { GatewayChannel, GatewayContext } from './gateway-context.ts';
import { toServiceError } from './rpc-error.ts';
import { submit } from './submit.ts';

/** Calls that a gateway serves at once, unary calls, waiting commit statuses and event streams together. */
const DEFAULT_CONCURRENCY_LIMIT = 500;

export interface GatewayServiceParams extends GatewayContext {
  /** Default 500, as in Fabric's core.yaml. */
  readonly concurrencyLimit?: number;
}

/** The handlers of `gateway.Gateway`. */
export function createGatewayService(params: GatewayServiceParams): gateway.IGatewayServer {
  const limit = params.concurrencyLimit ?? DEFAULT_CONCURRENCY_LIMIT;
  const notifiers = new Map<GatewayChannel, CommitNotifier>();
  let active = 0;

  const acquire = () => {
    if (active >= limit) {
      throw new Error(`too many requests for /gateway.Gateway, exceeding concurrency limit (${limit})`);
    }
    active++;
  };

  const notifierOf = (channel: GatewayChannel): CommitNotifier => {
    let notifier = notifiers.get(channel);
    if (notifier === undefined) notifiers.set(channel, (notifier = createCommitNotifier(channel.ledger)));
    return notifier;
  };

  const unary =
    <Request, Response>(serve: (request: Request, call: NodeJS.EventEmitter) => Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      const run = async () => {
        acquire();
        try {
          return await serve(call.request, call);
        } finally {
          active--;
        }
      };
      run().then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      );
    };

  const streamEvents = (
    call: ServerWritableStream<gateway.SignedChaincodeEventsRequest, gateway.ChaincodeEventsResponse>,
  ): void => {
    const cancelled = cancellationOf(call);
    const run = async () => {
      acquire();
      try {
        for await (const response of chaincodeEvents(params, call.request, cancelled)) {
          if (!call.write(response)) await drained(call, cancelled);
        }
      } finally {
        active--;
      }
    };
    run().then(
      () => call.end(),
      (error: unknown) => call.emit('error', toServiceError(error)),
    );
  };

  return {
    evaluate: unary((request: gateway.EvaluateRequest) => evaluate(params, request)),
    endorse: unary((request: gateway.EndorseRequest) => endorse(params, request)),
    submit: unary((request: gateway.SubmitRequest) => submit(params, request)),
    commitStatus: unary((request: gateway.SignedCommitStatusRequest, call) =>
      commitStatus(params, notifierOf, request, cancellationOf(call)),
    ),
    chaincodeEvents: streamEvents,
  };
}

function cancellationOf(call: NodeJS.EventEmitter): AbortSignal {
  const cancelled = new AbortController();
  call.once('cancelled', () => cancelled.abort());
  return cancelled.signal;
}

/** Resolves when the stream takes more, or will never do so again. */
function drained(stream: NodeJS.EventEmitter, cancelled: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.removeListener('drain', done);
      cancelled.removeEventListener('abort', done);
      resolve();
    };
    stream.once('drain', done);
    cancelled.addEventListener('abort', done);
    if (cancelled.aborted) done();
  });
}
