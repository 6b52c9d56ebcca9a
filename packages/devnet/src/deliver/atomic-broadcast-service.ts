import type { ServerDuplexStream } from '@grpc/grpc-js';
import { common, orderer } from '@hyperledger/fabric-protos';
import type { BroadcastResult } from '../orderer/index.ts';
import type { DeliverContext, DeliveredBlock } from './deliver-session.ts';
import type { DeliverStatus } from './deliver-status.ts';
import { serveDeliver } from './deliver-stream.ts';
import { visibleBlock } from './peer-deliver-service.ts';
import { written } from './written.ts';

/** The handlers of `orderer.AtomicBroadcast`. */
export function createAtomicBroadcastService(params: {
  readonly broadcast: (envelope: common.Envelope) => Promise<BroadcastResult>;
  readonly deliver: DeliverContext;
}): orderer.IAtomicBroadcastServer {
  return {
    broadcast: (call) => serveBroadcast(call, params.broadcast),
    deliver: (call) => serveDeliver(call, params.deliver, { block: buildBlockResponse, status: buildStatusResponse }),
  };
}

/**
 * Answers each message in order, one at a time; the stream ends after a refusal, as Fabric's does
 * (orderer/common/broadcast/broadcast.go).
 */
function serveBroadcast(
  call: ServerDuplexStream<common.Envelope, orderer.BroadcastResponse>,
  broadcast: (envelope: common.Envelope) => Promise<BroadcastResult>,
): void {
  const aborted = new AbortController();
  const waiting: common.Envelope[] = [];
  let serving = false;
  let ended = false;
  call.on('data', (envelope: common.Envelope) => {
    if (ended) return;
    waiting.push(envelope);
    call.pause();
    if (!serving) void serve();
  });
  call.on('end', () => {
    ended = true;
    if (!serving) call.end();
  });
  call.on('cancelled', () => aborted.abort());
  call.on('error', () => {
    ended = true;
    aborted.abort();
  });

  async function serve(): Promise<void> {
    serving = true;
    let refused = false;
    try {
      for (let envelope = waiting.shift(); envelope !== undefined && !refused; envelope = waiting.shift()) {
        const result = await broadcast(envelope);
        const response = new orderer.BroadcastResponse();
        response.setStatus(result.status);
        response.setInfo(result.info);
        await written(call, response, aborted.signal);
        refused = result.status !== common.Status.SUCCESS;
        if (!refused) call.resume();
      }
    } catch {
      refused = true;
    }
    serving = false;
    if (refused || ended) {
      ended = true;
      call.end();
    }
  }
}

function buildBlockResponse(delivered: DeliveredBlock): orderer.DeliverResponse {
  const response = new orderer.DeliverResponse();
  response.setBlock(visibleBlock(delivered));
  return response;
}

function buildStatusResponse(code: DeliverStatus): orderer.DeliverResponse {
  const response = new orderer.DeliverResponse();
  response.setStatus(code);
  return response;
}
