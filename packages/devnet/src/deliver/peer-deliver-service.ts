import { status } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import type { DeliverContext, DeliveredBlock, DeliverStatus } from './deliver-session.ts';
import { serveDeliver } from './deliver-stream.ts';
import { buildFilteredBlock } from './filtered-block.ts';

/** The handlers of `protos.Deliver`. */
export function createPeerDeliverService(contexts: {
  readonly blocks: DeliverContext;
  readonly filteredBlocks: DeliverContext;
}): peer.IDeliverServer {
  return {
    deliver: (call) => serveDeliver(call, contexts.blocks, { block: buildBlockResponse, status: buildStatusResponse }),
    deliverFiltered: (call) =>
      serveDeliver(call, contexts.filteredBlocks, { block: buildFilteredResponse, status: buildStatusResponse }),
    deliverWithPrivateData: (call) => {
      call.emit(
        'error',
        Object.assign(new Error('private data collections are not supported by devnet'), {
          code: status.UNIMPLEMENTED,
          details: '/protos.Deliver/DeliverWithPrivateData: private data collections are not supported by devnet',
        }),
      );
    },
  };
}

function buildBlockResponse(delivered: DeliveredBlock): peer.DeliverResponse {
  const response = new peer.DeliverResponse();
  response.setBlock(visibleBlock(delivered));
  return response;
}

function buildFilteredResponse(delivered: DeliveredBlock): peer.DeliverResponse {
  const response = new peer.DeliverResponse();
  response.setFilteredBlock(buildFilteredBlock(delivered.committed.block));
  return response;
}

function buildStatusResponse(code: DeliverStatus): peer.DeliverResponse {
  const response = new peer.DeliverResponse();
  response.setStatus(code);
  return response;
}

/** Headers with signatures only, where that was asked for. */
export function visibleBlock({ committed, headersOnly }: DeliveredBlock): common.Block {
  if (!headersOnly) return committed.block;
  const block = new common.Block();
  block.setHeader(committed.block.getHeader());
  block.setMetadata(committed.block.getMetadata());
  return block;
}
