import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import type { gateway } from '@hyperledger/fabric-protos';
import { written } from '../deliver/written.ts';
import { chaincodeEvents } from './chaincode-events.ts';
import { createCommitNotifier, type CommitNotifier } from './commit-notifier.ts';
import { commitStatus } from './commit-status.ts';
import { endorse } from './endorse.ts';
import { evaluate } from './evaluate.ts';
import type { GatewayChannel, GatewayContext } from './gateway-context.ts';
import { toServiceError } from './rpc-error.ts';
import { submit } from './submit.ts';

/** The handlers of `gateway.Gateway`. */
export function createGatewayService(params: GatewayContext): gateway.IGatewayServer {
  const notifiers = new Map<GatewayChannel, CommitNotifier>();

  const notifierOf = (channel: GatewayChannel): CommitNotifier => {
    let notifier = notifiers.get(channel);
    if (notifier === undefined) notifiers.set(channel, (notifier = createCommitNotifier(channel.ledger)));
    return notifier;
  };

  const unary =
    <Request, Response>(serve: (request: Request, call: NodeJS.EventEmitter) => Promise<Response>) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      serve(call.request, call).then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      );
    };

  const streamEvents = (
    call: ServerWritableStream<gateway.SignedChaincodeEventsRequest, gateway.ChaincodeEventsResponse>,
  ): void => {
    const cancelled = cancellationOf(call);
    const run = async () => {
      for await (const response of chaincodeEvents(params, call.request, cancelled)) {
        await written(call, response, cancelled);
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
