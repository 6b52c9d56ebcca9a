/** Where a ledger can be made to fail, wait or die: by tests, and by whoever wants to see what a full disk does. */
export type LedgerFaultPoint =
  /** Nothing of the block is written yet. */
  | 'before-block-write'
  /** Written, but perhaps not on the disk. */
  | 'before-block-sync'
  /** The block is durable, the state does not know of it. */
  | 'before-state-write'
  /** All is written, nobody was told. */
  | 'after-state-write';

export interface LedgerFaults {
  /** May delay (returns a promise), fail (throws, for example with code ENOSPC) or end the process. */
  at(point: LedgerFaultPoint, blockNumber: bigint): void | Promise<void>;
}

export const NO_FAULTS: LedgerFaults = { at: () => undefined };
