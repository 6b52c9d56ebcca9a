export { openLedgerLog } from './open-ledger-log.ts';
export type { LedgerLog, LedgerLogOptions, LedgerLogStats, RestoredLog } from './ledger-log.ts';
export type { LogPosition, Standing } from './position.ts';
