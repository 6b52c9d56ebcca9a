export { type PrivateLedgerConfiguration, privateLedgerSection } from './configuration/section.ts';
export { loadFirstConfiguration } from './configuration/first-configuration.ts';
export {
  type LedgerListener,
  openPrivateLedger,
  type PrivateLedger,
  type PrivateLedgerParts,
  requireOffice,
} from './open-private-ledger.ts';
