export { type FastRecord, fastKeyPlace, openFastRecord } from './fast-record.ts';
export type { Asked, ConsignmentKeySource, Hint, KeyPlace, TrustedReaderParts } from './ports.ts';
export { createTrustedReader, type ReadOutcome, type TrustedReader } from './trusted-reader.ts';
export type { LedgerPlace, TrustedRecord } from './trusted-record.ts';
