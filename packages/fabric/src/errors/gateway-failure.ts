import { GatewayError } from '@hyperledger/fabric-gateway';
import { WaymarkError, isWaymarkError, type ErrorDetails } from '@waymark/protocol';
import { ledgerFailure } from './ledger-failure.ts';

/**
 * What a failed call means to our callers, by what gateway, peers and orderer say (statuses and texts as Fabric 2.5 and
 * 3.1 give them).
 */
export function fromGatewayFailure(error: unknown, context: ErrorDetails = {}): WaymarkError {
  if (isWaymarkError(error)) return error;
  if (!(error instanceof GatewayError)) {
    // The client library fails without a type when a stream ends before it answered.
    return new WaymarkError('unavailable', 'the ledger did not answer', { details: context, cause: error });
  }
  const { code, message, details } = error;
  const answer = {
    grpcStatus: code,
    texts: [...details.map((detail) => detail.message), message],
    peers: details.map(({ mspId, address }) => `${mspId} ${address}`),
  };
  return ledgerFailure(answer, context, error);
}
