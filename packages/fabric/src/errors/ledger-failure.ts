import { status } from '@grpc/grpc-js';
import { WaymarkError, type ErrorCode, type ErrorDetails } from '@waymark/protocol';
import { parseChaincodeRefusal } from './chaincode-refusal.ts';

/** Details value of a `transaction-invalid` that never reached the ordering service: the endorsers did not agree. */
export const endorsementMismatch = 'ENDORSEMENT_MISMATCH';

const maxReasonLength = 300;

/** What gateway, peers and orderer said of a call that failed. */
export interface LedgerAnswer {
  /** gRPC status; UNKNOWN when there was none. */
  readonly grpcStatus: number;
  /** In the words of Fabric 2.5 and 3.1; the most telling one first. A chaincode's answer begins `chaincode response <status>, `. */
  readonly texts: readonly string[];
  /** Who said it. */
  readonly peers: readonly string[];
}

/**
 * What a failed call means to our callers. Whatever the chaincode did not refuse itself, with a code of ours, has `grpcStatus`
 * among its details: relays tell by it whether somebody has judged their batches.
 */
export function ledgerFailure(answer: LedgerAnswer, context: ErrorDetails, cause: unknown): WaymarkError {
  const { grpcStatus, texts, peers } = answer;
  for (const text of texts) {
    const refusal = parseChaincodeRefusal(text);
    if (refusal !== undefined) {
      return new WaymarkError(refusal.code, refusal.message, { details: { ...refusal.details, ...context }, cause });
    }
  }
  const all = texts.join('\n');
  const details: ErrorDetails = {
    ...context,
    grpcStatus: status[grpcStatus] ?? String(grpcStatus),
    reason: printable(texts[0] ?? ''),
    peers: [...peers],
  };
  const make = (code: ErrorCode, message: string): WaymarkError => new WaymarkError(code, message, { details, cause });
  if (/ProposalResponsePayloads do not match/.test(all)) {
    const withCode = { ...details, validationCode: endorsementMismatch };
    return new WaymarkError('transaction-invalid', 'the endorsers did not agree', { details: withCode, cause });
  }
  if (/exceeding concurrency limit/.test(all)) return make('unavailable', 'the gateway is busy');
  if (/chaincode response \d+/.test(all)) return make('chaincode-error', 'the chaincode refused the call');
  if (/access denied|FORBIDDEN/.test(all)) return make('refused', 'the ledger refused this identity');
  if (/REQUEST_ENTITY_TOO_LARGE/.test(all)) return make('limit-exceeded', 'the transaction is too large');
  return make(codeOfStatus[grpcStatus] ?? 'unavailable', 'the ledger did not answer as expected');
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
