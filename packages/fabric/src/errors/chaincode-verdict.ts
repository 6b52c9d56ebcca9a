import { WaymarkError, isWaymarkError } from '@waymark/protocol';

/**
 * Passes on what the chaincode itself says about a call, or that its transaction was found invalid. Gateways give the status they answered with, and our own
 * queue has nobody behind it: neither has judged the call, so that for the caller it is `unavailable`.
 */
export function chaincodeVerdict(error: unknown): WaymarkError {
  const byChaincode = isWaymarkError(error) && error.cause !== undefined && !('grpcStatus' in error.details);
  if (byChaincode || isWaymarkError(error, 'transaction-invalid')) return error;
  return new WaymarkError('unavailable', 'The ledger did not take the transaction.', { cause: error });
}
