import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { common } from '@hyperledger/fabric-protos';
import { common as commonPb } from '@hyperledger/fabric-protos';
import { deliverBlocks, type DeliverContext, type DeliveredBlock } from './deliver-session.ts';
import type { DeliverStatus } from './deliver-status.ts';
import { written } from './written.ts';

/** How a service writes its answers. */
export interface DeliverResponses<Response> {
  block(delivered: DeliveredBlock): Response;
  status(status: DeliverStatus): Response;
}

/**
 * Serves a deliver stream: one seek after the other, each answered by its blocks and a status. The stream ends after a
 * status other than SUCCESS, and when the client has no more to ask.
 */
export function serveDeliver<Response>(
  call: ServerDuplexStream<common.Envelope, Response>,
  context: DeliverContext,
  responses: DeliverResponses<Response>,
): void {
  const aborted = new AbortController();
  const requests: common.Envelope[] = [];
  let serving = false;
  let ended = false;
  call.on('cancelled', () => aborted.abort());
  call.on('error', () => aborted.abort());
  call.on('end', () => {
    ended = true;
    if (!serving) call.end();
  });
  call.on('data', (envelope: common.Envelope) => {
    requests.push(envelope);
    call.pause();
    if (!serving) void serve();
  });

  async function serve(): Promise<void> {
    serving = true;
    try {
      for (let request = requests.shift(); request !== undefined; request = requests.shift()) {
        const status = await answer(request);
        if (status === undefined) return;
        await written(call, responses.status(status), aborted.signal);
        if (status !== commonPb.Status.SUCCESS) ended = true;
        call.resume();
      }
    } catch {
      ended = true;
      await written(call, responses.status(commonPb.Status.INTERNAL_SERVER_ERROR), aborted.signal);
    } finally {
      serving = false;
      if (ended && !aborted.signal.aborted) call.end();
    }
  }

  async function answer(request: common.Envelope): Promise<DeliverStatus | undefined> {
    const blocks = deliverBlocks(context, request, aborted.signal);
    for (;;) {
      const next = await blocks.next();
      if (next.done === true) return next.value;
      await written(call, responses.block(next.value), aborted.signal);
    }
  }
}
