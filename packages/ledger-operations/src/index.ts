export { operatorCallers, type OperatorCaller } from './rest/callers.ts';
export { type LedgerRest, type LedgerRestParts, openLedgerRest } from './rest/open-ledger-rest.ts';
export { ledgerPaths, ledgerSchemas } from './rest/openapi.ts';
export { type OfflineOptions, type OfflineReport, restoreFolder, verifyFolder } from './offline/offline.ts';
