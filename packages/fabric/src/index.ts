export { decodeBlock } from './block/decode-block.ts';
export type { DecodedBlock, DecodedTransaction, KeyWrite, TransactionEvent } from './block/decoded-block.ts';
export { chaincodeVerdict } from './errors/chaincode-verdict.ts';
export { connectGateway } from './gateway/connect-gateway.ts';
export type { GatewayOptions } from './gateway/options.ts';
export type { LedgerDeadlines, LedgerLimits } from './limits.ts';
export { privateKeySigner, type LedgerIdentity, type Signer } from './identity/signer.ts';
export { waitBackoff, type Backoff } from './flow/backoff.ts';
export type * from './ledger.ts';
