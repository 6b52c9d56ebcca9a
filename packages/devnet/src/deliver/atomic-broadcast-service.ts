import type { ServerDuplexStream } from '@grpc/grpc-js';
import { orderer, type common } from '@hyperledger/fabric-protos';
import type { BroadcastResult } from '../orderer/index.ts';
import type { DeliverContext, DeliveredBlock, DeliverStatus } from './deliver-session.ts';
import { serveDeliver } from './deliver-stream.ts';
import { visibleBlock } from './peer-deliver-service.ts';

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

/** Answers each message in order; a failure other than a refusal is SERVICE_UNAVAILABLE already. */
function serveBroadcast(
  call: ServerDuplexStream<common.Envelope, orderer.BroadcastResponse>,
  broadcast: (envelope: common.Envelope) => Promise<BroadcastResult>,
): void {
  let tail: Promise<void> = Promise.resolve();
  call.on('data', (envelope: common.Envelope) => {
    tail = tail.then(async () => {
      const result = await broadcast(envelope);
      const response = new orderer.BroadcastResponse();
      response.setStatus(result.status);
      response.setInfo(result.info);
      call.write(response);
    });
  });
  call.on('end', () => {
    tail.then(
      () => call.end(),
      () => call.end(),
    );
  });
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
