/** Limits and times of one member. Ticks are the driver's: what a tick is in milliseconds it decides. */
export interface Limits {
  /** Records in one block, unless a single submission has more. */
  readonly maxBlockRecords: number;
  /** Records in one submission. */
  readonly maxSubmissionRecords: number;
  /** Records accepted but not in a block yet: beyond it `propose` answers `busy`. */
  readonly maxPendingRecords: number;
  /** Entries in one message. */
  readonly maxAppendEntries: number;
  /** Unanswered messages to one member while it catches up. */
  readonly maxInflight: number;
  /** Terms that a message may be ahead of this member without a vote certificate. */
  readonly maxTermStep: number;
  /** Blocks within which a submission has to be in the ledger after its receipt. */
  readonly inclusionBlocks: number;
  /**
   * Ticks for which a center waits for more records before it confirms its last one by an empty block; 0: not at all. Records that come meanwhile confirm
   * it as well, and cost no block of their own.
   */
  readonly closingTicks: number;
  readonly heartbeatTicks: number;
  /** Least election time-out; each one is drawn from here to twice this. */
  readonly electionTicks: number;
}

export const defaultLimits: Limits = {
  maxBlockRecords: 4_096,
  maxSubmissionRecords: 10_000,
  maxPendingRecords: 65_536,
  maxAppendEntries: 16,
  maxInflight: 4,
  maxTermStep: 1_000,
  inclusionBlocks: 64,
  closingTicks: 0,
  heartbeatTicks: 1,
  electionTicks: 10,
};
