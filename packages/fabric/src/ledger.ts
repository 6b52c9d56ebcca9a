import type { DecodedBlock } from './block/decoded-block.ts';

/** Arguments of a contract function: text, or bytes as they are. */
export type ContractArgument = string | Uint8Array;

/** What goes with a call beside its arguments. */
export interface CallOptions {
  /** Values the peers see but the chain does not keep. */
  readonly transient?: Readonly<Record<string, string | Uint8Array>>;
  /** Gives up waiting for a free slot; a call that is under way runs into its deadline. */
  readonly signal?: AbortSignal;
}

/** What goes with a call that writes. */
export interface SubmitOptions extends CallOptions {
  /**
   * True when calling the function again with the same arguments does no harm: then a transaction that lost against a
   * concurrent one (MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT, endorsers at different heights) is made anew, a bounded
   * number of times. Default false.
   */
  readonly retryable?: boolean;
  /** Only these organisations endorse. Default: the gateway chooses by the chaincode's policy. */
  readonly endorsingOrganizations?: readonly string[];
}

/** A transaction that is in a block and valid. */
export interface CommittedTransaction {
  readonly txId: string;
  /** What the function returned. */
  readonly result: Uint8Array;
  readonly blockNumber: bigint;
}

/** A transaction that the ordering service has taken. */
export interface SubmittedTransaction {
  readonly txId: string;
  readonly result: Uint8Array;
  /**
   * Waits until the transaction is in a block. With `retryable` the committed one may be a later attempt, under another id.
   *
   * @throws WaymarkError `transaction-invalid` (details: txId, validationCode, blockNumber); `unavailable` (details: txId)
   *   when the peer cannot say: the transaction may still commit, ask `transactionStatus` with the same id.
   */
  commit(): Promise<CommittedTransaction>;
}

/** How a transaction ended. */
export interface TransactionStatus {
  readonly txId: string;
  readonly blockNumber: bigint;
  readonly valid: boolean;
  /** Fabric's name: VALID, MVCC_READ_CONFLICT, ... */
  readonly validationCode: string;
}

/** An event of a valid transaction. */
export interface ChaincodeEvent {
  readonly blockNumber: bigint;
  readonly txId: string;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** Where to start reading blocks. */
export interface BlockEventsOptions {
  /** Number of the first block. */
  readonly from: bigint;
  /** Ends the iteration quietly. */
  readonly signal?: AbortSignal;
}

/** Where to start reading events. */
export interface ChaincodeEventsOptions {
  readonly fromBlock: bigint;
  /** Skips the events of `fromBlock` up to this transaction, which must be one that emitted an event. */
  readonly afterTxId?: string;
  /** Ends the iteration quietly. */
  readonly signal?: AbortSignal;
}

/** How busy a connection is. */
export interface LedgerLoad {
  readonly inFlight: number;
  readonly waiting: number;
}

/**
 * One chaincode on one channel, as one identity. Every method throws `WaymarkError`: the chaincode's own code when it
 * refused, with the client library's error as `cause`; `chaincode-error` when it failed otherwise, `unavailable` when nobody
 * answered. What somebody else than the chaincode refused has `grpcStatus` among its details.
 */
export interface Ledger {
  readonly channel: string;
  readonly chaincode: string;
  readonly mspId: string;
  readonly load: LedgerLoad;
  /** Runs a function on one peer, without a transaction. One peer's word. */
  evaluate(contract: string, fn: string, args: readonly ContractArgument[], options?: CallOptions): Promise<Uint8Array>;
  /** Runs a function on the endorsing peers and hands the transaction to the ordering service. */
  submit(
    contract: string,
    fn: string,
    args: readonly ContractArgument[],
    options?: SubmitOptions,
  ): Promise<SubmittedTransaction>;
  /**
   * How a transaction ended, or undefined when it is in no block after `waitMs` (default 5,000). A peer that is behind
   * answers undefined as well: before making the transaction anew, read the key it would have written.
   */
  transactionStatus(txId: string, waitMs?: number): Promise<TransactionStatus | undefined>;
  /** Whole blocks, valid and invalid transactions, without gaps and without end; throws `unavailable` when the stream breaks. */
  blockEvents(options: BlockEventsOptions): AsyncIterable<DecodedBlock>;
  /** Events of the chaincode's valid transactions, without end; throws `unavailable` when the stream breaks. */
  chaincodeEvents(options: ChaincodeEventsOptions): AsyncIterable<ChaincodeEvent>;
  /** Ends streams and closes the connection. */
  close(): void;
}
