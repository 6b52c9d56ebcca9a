/** One key that a transaction wrote. */
export interface KeyWrite {
  /** Name of the chaincode whose state it is. */
  readonly namespace: string;
  readonly key: string;
  /** Empty when deleted. */
  readonly value: Uint8Array;
  readonly isDelete: boolean;
}

/** The event a transaction emitted. */
export interface TransactionEvent {
  readonly chaincode: string;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** One transaction of a block. Only valid ones have writes and events: the others changed nothing. */
export interface DecodedTransaction {
  /** Empty when the envelope could not be read (such a transaction is never valid). */
  readonly txId: string;
  readonly type: 'endorser' | 'config' | 'other';
  readonly valid: boolean;
  /** Fabric's name: VALID, MVCC_READ_CONFLICT, ... */
  readonly validationCode: string;
  /** Name of the chaincode that was called; empty for configuration. */
  readonly chaincode: string;
  readonly writes: readonly KeyWrite[];
  readonly events: readonly TransactionEvent[];
  readonly creatorMsp: string;
  /** The time the client claims. */
  readonly timestampMs: number;
}

/** A block in plain terms. */
export interface DecodedBlock {
  readonly number: bigint;
  /** SHA-256 of the header (Fabric's chain hash), 32 bytes. */
  readonly hash: Uint8Array;
  /** `hash` of the block before; empty for block 0. */
  readonly previousHash: Uint8Array;
  readonly transactions: readonly DecodedTransaction[];
}
