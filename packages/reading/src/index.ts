export { type FastRecord, fastKeyPlace, openFastRecord } from './fast-record.ts';
export type { Asked, ConsignmentKeySource, Hint, KeyPlace, TrustedReaderParts } from './ports.ts';
export {
  createTrustedReader,
  type LedgerPlace,
  type ReadOutcome,
  type TrustedReader,
  type TrustedRecord,
} from './trusted-reader.ts';
