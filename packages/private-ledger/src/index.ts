export { type PrivateLedgerConfiguration, privateLedgerSection } from './configuration/section.ts';
export { openLedgerMembers } from './configuration/members-file.ts';
export { ledgerFolder, type LedgerFolder, restoredFile } from './disk/ledger-folder.ts';
export { loadFirstConfiguration } from './configuration/first-configuration.ts';
export {
  type LedgerListener,
  openPrivateLedger,
  type PrivateLedger,
  type PrivateLedgerParts,
  requireOffice,
} from './open-private-ledger.ts';
export type { LedgerMembers, LedgerPeer } from './configuration/members-file.ts';
export { createLedgerRecords, type LedgerRecords, type RecordHit } from './records/ledger-records.ts';
