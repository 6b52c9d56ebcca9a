import { status } from '@grpc/grpc-js';
import { gateway } from '@hyperledger/fabric-protos';
import { checkAccess, unknownChannel } from '../access/channel-access.ts';
import type { CommitNotifier, TransactionStatus } from './commit-notifier.ts';
import type { GatewayChannel, GatewayContext } from './gateway-context.ts';
import { RpcError } from './rpc-error.ts';
import { messageOf } from '../errors.ts';

/**
 * Where and how a transaction was committed; waits for it as long as the client does (Fabric:
 * internal/pkg/gateway/commitstatus.go).
 */
export async function commitStatus(
  context: GatewayContext,
  notifier: (channel: GatewayChannel) => CommitNotifier,
  signedRequest: gateway.SignedCommitStatusRequest,
  cancelled: AbortSignal,
): Promise<gateway.CommitStatusResponse> {
  const request = unpack(signedRequest);
  const channelId = request.getChannelId();
  const channel = context.channel(channelId);
  try {
    if (channel === undefined) throw unknownChannel(channelId);
    checkAccess(channel.config(), 'gateway/CommitStatus', {
      data: signedRequest.getRequest_asU8(),
      identity: request.getIdentity_asU8(),
      signature: signedRequest.getSignature_asU8(),
    });
  } catch (error) {
    throw new RpcError(status.PERMISSION_DENIED, messageOf(error));
  }
  const found = await transactionStatus(channel, notifier(channel), request.getTransactionId(), cancelled);
  const response = new gateway.CommitStatusResponse();
  response.setResult(found.validationCode);
  response.setBlockNumber(Number(found.blockNumber));
  return response;
}

function unpack(signedRequest: gateway.SignedCommitStatusRequest): gateway.CommitStatusRequest {
  const bytes = signedRequest.getRequest_asU8();
  if (bytes.length === 0) throw new RpcError(status.INVALID_ARGUMENT, 'a commit status request is required');
  let request: gateway.CommitStatusRequest;
  try {
    request = gateway.CommitStatusRequest.deserializeBinary(bytes);
  } catch {
    throw new RpcError(status.INVALID_ARGUMENT, 'invalid status request: proto: cannot parse invalid wire-format data');
  }
  if (request.getIdentity_asU8().length === 0) throw new RpcError(status.INVALID_ARGUMENT, 'no identity provided');
  if (request.getChannelId() === '') throw new RpcError(status.INVALID_ARGUMENT, 'no channel ID provided');
  if (request.getTransactionId() === '') {
    throw new RpcError(status.INVALID_ARGUMENT, 'transaction ID should not be empty');
  }
  return request;
}

/** Listens before it looks, so that a commit in between is not missed. */
async function transactionStatus(
  channel: GatewayChannel,
  notifier: CommitNotifier,
  txId: string,
  cancelled: AbortSignal,
): Promise<TransactionStatus> {
  const listening = notifier.wait(txId);
  const cancel = () => listening.stop(new RpcError(status.CANCELLED, 'context canceled'));
  cancelled.addEventListener('abort', cancel);
  try {
    const committed = await channel.ledger.getTransaction(txId);
    return committed ?? (await listening.committed);
  } finally {
    cancelled.removeEventListener('abort', cancel);
    listening.stop();
  }
}
