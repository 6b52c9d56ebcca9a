import { common, peer } from '@hyperledger/fabric-protos';
import type { DeliverContext, DeliveredBlock } from './deliver-session.ts';
import type { DeliverStatus } from './deliver-status.ts';
import { serveDeliver } from './deliver-stream.ts';
import { filteredBlockOf } from './filtered-block.ts';

/** The handlers of `protos.Deliver`. */
export function createPeerDeliverService(contexts: {
  readonly blocks: DeliverContext;
  readonly filteredBlocks: DeliverContext;
}): peer.IDeliverServer {
  return {
    deliver: (call) => serveDeliver(call, contexts.blocks, { block: buildBlockResponse, status: buildStatusResponse }),
    deliverFiltered: (call) =>
      serveDeliver(call, contexts.filteredBlocks, { block: buildFilteredResponse, status: buildStatusResponse }),
    deliverWithPrivateData: (call) =>
      serveDeliver(call, contexts.blocks, { block: buildPrivateDataResponse, status: buildStatusResponse }),
  };
}

function buildBlockResponse(delivered: DeliveredBlock): peer.DeliverResponse {
  const response = new peer.DeliverResponse();
  response.setBlock(visibleBlock(delivered));
  return response;
}

/** Nothing on devnet is private, so there is none of it with any block. */
function buildPrivateDataResponse(delivered: DeliveredBlock): peer.DeliverResponse {
  const blockAndPrivateData = new peer.BlockAndPrivateData();
  blockAndPrivateData.setBlock(visibleBlock(delivered));
  const response = new peer.DeliverResponse();
  response.setBlockAndPrivateData(blockAndPrivateData);
  return response;
}

/** A transaction that is none keeps its block from being told of: a status takes its place, and the stream goes on, as on Fabric. */
function buildFilteredResponse(delivered: DeliveredBlock): peer.DeliverResponse {
  const response = new peer.DeliverResponse();
  try {
    response.setFilteredBlock(filteredBlockOf(delivered.committed.block));
    return response;
  } catch {
    return buildStatusResponse(common.Status.BAD_REQUEST);
  }
}

function buildStatusResponse(code: DeliverStatus): peer.DeliverResponse {
  const response = new peer.DeliverResponse();
  response.setStatus(code);
  return response;
}

/** Headers with signatures only, where that was asked for; configuration blocks are always whole. */
export function visibleBlock({ committed, headersOnly }: DeliveredBlock): common.Block {
  if (!headersOnly || isConfigBlock(committed.block)) return committed.block;
  const block = new common.Block();
  block.setHeader(committed.block.getHeader());
  block.setMetadata(committed.block.getMetadata());
  return block;
}

function isConfigBlock(block: common.Block): boolean {
  const [envelope] = block.getData()?.getDataList_asU8() ?? [];
  if (envelope === undefined) return false;
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  const header = payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array();
  return common.ChannelHeader.deserializeBinary(header).getType() === common.HeaderType.CONFIG;
}
