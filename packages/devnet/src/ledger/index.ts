export type {
  CommittedBlock,
  HistoryEntry,
  PeerLedger,
  StateEntry,
  StateSnapshot,
  StateValue,
  TransactionLocation,
  Version,
} from './ledger.ts';
export type { LedgerFaultPoint, LedgerFaults } from './faults.ts';
export { openPeerLedger, type OpenPeerLedgerParams } from './peer-ledger.ts';
