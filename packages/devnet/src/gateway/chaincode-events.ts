import { status } from '@grpc/grpc-js';
import { gateway, orderer, type peer } from '@hyperledger/fabric-protos';
import { checkAccess, unknownChannel } from '../access/channel-access.ts';
import { chaincodeEventsOf } from '../block/chaincode-events.ts';
import { blocksFrom } from '../deliver/block-iterator.ts';
import type { GatewayChannel, GatewayContext } from './gateway-context.ts';
import { RpcError } from './rpc-error.ts';
import { messageOf } from '../errors.ts';

/**
 * Events of one chaincode, one message per block that has some, of valid transactions only (Fabric:
 * internal/pkg/gateway/chaincodeevents.go). Ends when aborted.
 */
export async function* chaincodeEvents(
  context: GatewayContext,
  signedRequest: gateway.SignedChaincodeEventsRequest,
  aborted: AbortSignal,
): AsyncGenerator<gateway.ChaincodeEventsResponse, void> {
  const request = unpack(signedRequest);
  const channel = authorise(context, signedRequest, request);
  const start = await startBlock(channel, request);
  const matches = createMatcher(request);
  for await (const { block, number } of blocksFrom(channel.ledger, start, aborted)) {
    const events = chaincodeEventsOf(block).filter(matches);
    if (events.length === 0) continue;
    const response = new gateway.ChaincodeEventsResponse();
    response.setBlockNumber(Number(number));
    response.setEventsList(events);
    yield response;
  }
}

function unpack(signedRequest: gateway.SignedChaincodeEventsRequest): gateway.ChaincodeEventsRequest {
  const bytes = signedRequest.getRequest_asU8();
  if (bytes.length === 0) throw new RpcError(status.INVALID_ARGUMENT, 'a chaincode events request is required');
  try {
    return gateway.ChaincodeEventsRequest.deserializeBinary(bytes);
  } catch {
    throw new RpcError(
      status.INVALID_ARGUMENT,
      'invalid chaincode events request: proto: cannot parse invalid wire-format data',
    );
  }
}

function authorise(
  context: GatewayContext,
  signedRequest: gateway.SignedChaincodeEventsRequest,
  request: gateway.ChaincodeEventsRequest,
): GatewayChannel {
  try {
    const channel = context.channel(request.getChannelId());
    if (channel === undefined) throw unknownChannel(request.getChannelId());
    checkAccess(channel.config(), 'gateway/ChaincodeEvents', {
      data: signedRequest.getRequest_asU8(),
      identity: request.getIdentity_asU8(),
      signature: signedRequest.getSignature_asU8(),
    });
    return channel;
  } catch (error) {
    throw new RpcError(status.PERMISSION_DENIED, messageOf(error));
  }
}

async function startBlock(channel: GatewayChannel, request: gateway.ChaincodeEventsRequest): Promise<bigint> {
  const after = request.getAfterTransactionId();
  if (after !== '') {
    const location = await channel.ledger.getTransaction(after);
    if (location !== undefined) return location.blockNumber;
  }
  const position = request.getStartPosition() ?? new orderer.SeekPosition();
  switch (position.getTypeCase()) {
    case orderer.SeekPosition.TypeCase.TYPE_NOT_SET:
    case orderer.SeekPosition.TypeCase.NEXT_COMMIT:
      return channel.ledger.height;
    case orderer.SeekPosition.TypeCase.SPECIFIED:
      return BigInt(position.getSpecified()?.getNumber() ?? 0);
    default:
      throw new RpcError(
        status.INVALID_ARGUMENT,
        `invalid start position type: *orderer.SeekPosition_${position.hasOldest() ? 'Oldest' : 'Newest'}`,
      );
  }
}

/**
 * With a transaction to start after, everything up to its own event is left out: a transaction without an event keeps the
 * stream silent, on Fabric as here.
 */
function createMatcher(request: gateway.ChaincodeEventsRequest): (event: peer.ChaincodeEvent) => boolean {
  const chaincodeId = request.getChaincodeId();
  const after = request.getAfterTransactionId();
  let passed = after === '';
  return (event) => {
    if (passed) return event.getChaincodeId() === chaincodeId;
    passed = event.getTxId() === after;
    return false;
  };
}
