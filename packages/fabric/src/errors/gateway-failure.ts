import { status } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { WaymarkError, isWaymarkError, type ErrorCode, type ErrorDetails } from '@waymark/protocol';
import { parseChaincodeRefusal } from './chaincode-refusal.ts';

/** Details value of a `transaction-invalid` that never reached the ordering service: the endorsers did not agree. */
export const endorsementMismatch = 'ENDORSEMENT_MISMATCH';

const maxReasonLength = 300;

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
  const texts = [...error.details.map(({ message }) => message), error.message];
  for (const text of texts) {
    const refusal = parseChaincodeRefusal(text);
    if (refusal !== undefined) {
      return new WaymarkError(refusal.code, refusal.message, {
        details: { ...refusal.details, ...context },
        cause: error,
      });
    }
  }
  const all = texts.join('\n');
  const details: ErrorDetails = {
    ...context,
    grpcStatus: status[error.code] ?? String(error.code),
    reason: printable(texts[0] ?? ''),
    peers: error.details.map(({ mspId, address }) => `${mspId} ${address}`),
  };
  const make = (code: ErrorCode, message: string): WaymarkError =>
    new WaymarkError(code, message, { details, cause: error });
  if (/ProposalResponsePayloads do not match/.test(all)) {
    const withCode = { ...details, validationCode: endorsementMismatch };
    return new WaymarkError('transaction-invalid', 'the endorsers did not agree', { details: withCode, cause: error });
  }
  if (/exceeding concurrency limit/.test(all)) return make('unavailable', 'the gateway is busy');
  if (/chaincode response \d+/.test(all)) return make('chaincode-error', 'the chaincode refused the call');
  if (/access denied|FORBIDDEN/.test(all)) return make('refused', 'the ledger refused this identity');
  if (/REQUEST_ENTITY_TOO_LARGE/.test(all)) return make('limit-exceeded', 'the transaction is too large');
  return make(codeOfStatus[error.code] ?? 'unavailable', 'the ledger did not answer as expected');
}

/** Whether nobody can say what became of the call, so that asking again is all there is to do. */
export function isLost(error: WaymarkError): boolean {
  return error.code === 'unavailable';
}

const codeOfStatus: Partial<Record<number, ErrorCode>> = {
  [status.INVALID_ARGUMENT]: 'input-invalid',
  [status.OUT_OF_RANGE]: 'input-invalid',
  [status.RESOURCE_EXHAUSTED]: 'limit-exceeded',
  [status.PERMISSION_DENIED]: 'refused',
  [status.UNAUTHENTICATED]: 'refused',
  [status.UNIMPLEMENTED]: 'unsupported',
  [status.DATA_LOSS]: 'data-abnormal',
};

function printable(text: string): string {
  return text.slice(0, maxReasonLength).replaceAll(/[^\x20-\x7e]/g, ' ');
}
