import type { common, peer } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';

/** Where in the chain a value was written: Fabric's `kvrwset.Version`. */
export interface Version {
  readonly blockNumber: bigint;
  readonly txNumber: bigint;
}

/** A committed value with its version and key-level metadata (`VALIDATION_PARAMETER` and others). */
export interface StateValue {
  readonly value: Uint8Array;
  readonly version: Version;
  readonly metadata?: ReadonlyMap<string, Uint8Array>;
}

/** One key of a range read. */
export interface StateEntry extends StateValue {
  readonly key: string;
}

/** One modification in a key's history, newest first when iterated. */
export interface HistoryEntry {
  readonly txId: string;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  readonly isDelete: boolean;
}

/** What is known of a committed transaction. */
export interface TransactionLocation {
  readonly blockNumber: bigint;
  readonly txNumber: number;
  readonly validationCode: peer.TxValidationCodeMap[keyof peer.TxValidationCodeMap];
}

/** A block as this peer committed it: `metadata[2]` carries this peer's validation flags. */
export interface CommittedBlock {
  readonly number: bigint;
  readonly block: common.Block;
  readonly bytes: Uint8Array;
}

/**
 * The read side of one peer's copy of a channel, as a point in time: reads see exactly the blocks up to `height` even while
 * later ones commit (Fabric simulates under a read lock). `release()` must be called.
 */
export interface StateSnapshot {
  readonly height: bigint;
  get(namespace: string, key: string): Promise<StateValue | undefined>;
  /** Keys in UTF-8 byte order, `start` inclusive, `end` exclusive; an empty `end` means to the end of the namespace. */
  range(namespace: string, start: string, end: string): AsyncIterable<StateEntry>;
  history(namespace: string, key: string): AsyncIterable<HistoryEntry>;
  release(): void;
}

/** One peer's copy of one channel: blocks, state, history and transaction index. */
export interface PeerLedger {
  readonly channelId: string;
  /** The configuration in force at this height; another object after a configuration block. */
  readonly channelConfig: ChannelConfig;
  /** Number of blocks: the number of the next block. */
  readonly height: bigint;
  /** Hash of the newest block's header. */
  readonly currentBlockHash: Uint8Array;
  /** Hash of the header of the block before the newest; empty when there is none. */
  readonly previousBlockHash: Uint8Array;
  snapshot(): Promise<StateSnapshot>;
  getBlock(number: bigint): Promise<CommittedBlock | undefined>;
  /** The block whose header has that hash. */
  getBlockByHash(hash: Uint8Array): Promise<CommittedBlock | undefined>;
  getTransaction(txId: string): Promise<TransactionLocation | undefined>;
  getBlockByTransaction(txId: string): Promise<CommittedBlock | undefined>;
  /** Validates and commits the next block; durable when it resolves. */
  commit(block: common.Block): Promise<CommittedBlock>;
  /** Called after each commit, in block order. Returns the unsubscribe function. */
  onCommit(listener: (block: CommittedBlock) => void): () => void;
  close(): Promise<void>;
}
