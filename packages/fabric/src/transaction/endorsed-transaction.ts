import type { ContractArgument, SubmitOptions, TransactionStatus } from '../ledger.ts';

/** A call that writes. */
export interface SubmitCall {
  readonly contract: string;
  readonly fn: string;
  readonly args: readonly ContractArgument[];
  readonly options: SubmitOptions;
}

/** A transaction that its endorsers have signed; what is left is to hand it in and to ask how it ended. */
export interface EndorsedTransaction {
  readonly txId: string;
  /** What the function returned. */
  readonly result: Uint8Array;
  /**
   * Hands it to the ordering service. May be called again: only the first copy can be valid.
   *
   * @throws WaymarkError `unavailable` when nobody knows whether it arrived
   */
  order(): Promise<void>;
  /**
   * How it ended, or undefined when it is in no block after `waitMs`.
   *
   * @throws WaymarkError `unavailable` when the peer does not answer
   */
  status(waitMs: number): Promise<TransactionStatus | undefined>;
}
