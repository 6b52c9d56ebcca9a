// What every implementation of the ledger port shares, whatever client library it stands on.
export { status as grpcStatuses } from '@grpc/grpc-js';
export { blocksInTurn } from './block/blocks-in-turn.ts';
export { validationCodeName } from './block/validation-code.ts';
export { endorsementMismatch, ledgerFailure, type LedgerAnswer } from './errors/ledger-failure.ts';
export { createSlots, type Slots } from './flow/slots.ts';
export { toLowS } from './identity/signer.ts';
export {
  defaultDeadlines,
  defaultMaxConflictRetries,
  defaultMaxInFlight,
  keepaliveTimeMs,
  maxReceiveSizeBytes,
  type LedgerDeadlines,
  type LedgerLimits,
} from './limits.ts';
export type { EndorsedTransaction, SubmitCall } from './transaction/endorsed-transaction.ts';
export { submitTransaction, type SubmitSession } from './transaction/submit-transaction.ts';
