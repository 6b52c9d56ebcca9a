/** The messages between members of a private ledger (`proto/ledger.proto`). Apart from the rest, because their names are those of the ledger's own parts. */
export * from './generated/ledger.ts';
