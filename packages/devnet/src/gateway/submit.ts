import { status } from '@grpc/grpc-js';
import { common, gateway } from '@hyperledger/fabric-protos';
import type { BroadcastResult, GatewayContext, GatewayOrderer } from './gateway-context.ts';
import { RpcError, type EndpointError } from './rpc-error.ts';
import { messageOf } from '../errors.ts';

const STATUS_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(common.Status).map(([name, value]) => [value, name]),
);

/** Hands the signed transaction to one orderer (Fabric: internal/pkg/gateway/submit.go). */
export async function submit(context: GatewayContext, request: gateway.SubmitRequest): Promise<gateway.SubmitResponse> {
  const envelope = request.getPreparedTransaction();
  if (envelope === undefined) throw new RpcError(status.INVALID_ARGUMENT, 'a prepared transaction is required');
  if (envelope.getSignature_asU8().length === 0) {
    throw new RpcError(status.INVALID_ARGUMENT, 'prepared transaction must be signed');
  }
  const channelId = request.getChannelId();
  const channel = context.channel(channelId);
  if (channel === undefined) {
    throw new RpcError(
      status.FAILED_PRECONDITION,
      `failed to get config for channel [${channelId}]: could not get last config for channel ${channelId}`,
    );
  }
  const orderers = channel.orderers();
  if (orderers.length === 0) throw new RpcError(status.UNAVAILABLE, 'no orderer nodes available');
  const details: EndpointError[] = [];
  for (const orderer of orderers) {
    const result = await broadcast(orderer, envelope, details);
    if (result === undefined) continue;
    if (result.status === common.Status.SUCCESS) return new gateway.SubmitResponse();
    if (result.status >= 400 && result.status < 500) {
      const name = STATUS_NAMES.get(result.status) ?? String(result.status);
      throw new RpcError(
        status.ABORTED,
        `received unsuccessful response from orderer: status=${name}, info=${result.info}`,
      );
    }
  }
  throw new RpcError(status.UNAVAILABLE, 'no orderers could successfully process transaction', details);
}

async function broadcast(
  orderer: GatewayOrderer,
  envelope: common.Envelope,
  details: EndpointError[],
): Promise<BroadcastResult | undefined> {
  try {
    return await orderer.broadcast(envelope);
  } catch (error) {
    const message = messageOf(error);
    details.push({ address: orderer.address, mspId: orderer.mspId, message });
    return undefined;
  }
}
