import type { CID } from 'multiformats/cid';

/** Bytes and the CID that names them. */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** Blocks from memory or from a stream; a stream is read only as fast as blocks become durable. */
export type BlockStream = Iterable<Block> | AsyncIterable<Block>;

/** Bytes of a file in order, in pieces of any size. */
export type ByteStream = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface ReadOptions {
  /** Ends the call early; the call then rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
  /** After this many milliseconds the call rejects with `unavailable`. Each implementation has its own default. */
  readonly timeoutMs?: number | undefined;
  /** Reads only what this store itself holds: kubo otherwise asks the members of its swarm for a block it lacks. */
  readonly local?: boolean | undefined;
}

export interface PutOptions extends ReadOptions {
  /** Roots to pin, recursively, once the blocks are durable; each must be complete by then. */
  readonly pinRoots?: readonly CID[] | undefined;
}

export interface PutResult {
  /** Blocks handed in. */
  readonly blocks: number;
  /** Blocks the store did not hold before; the kubo implementation cannot tell and counts all. */
  readonly added: number;
  /** Bytes handed in, without framing. */
  readonly sizeBytes: number;
}

/**
 * Where blocks are read from. Every implementation verifies what it returns: altered bytes are `data-abnormal`, absent
 * ones `unavailable`, never data (S7, architecture invariant 5).
 */
export interface BlockReader {
  /**
   * The bytes named by `cid`.
   * @throws `unavailable` (not there, or no answer in time), `data-abnormal` (there, but not these bytes),
   *   `input-invalid` (a CID this product does not use: see `requireContentCid`)
   */
  get(cid: CID, options?: ReadOptions): Promise<Uint8Array>;
  /**
   * The named blocks, in the order asked for; ends with the error of the first that cannot be read.
   * @throws as `get`
   */
  getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncIterable<Block>;
  /** Whether the block is here, not with others. A block that is here may still be found altered when it is read. */
  has(cid: CID, options?: ReadOptions): Promise<boolean>;
}

export interface BlockWriter {
  /**
   * Stores blocks. When it resolves, all of them are durable (synced to disk) and readable (architecture invariant 3);
   * when it rejects, any part of them may be there, which is harmless, and none is acknowledged. Idempotent.
   * @throws `input-invalid` (a CID this product does not use, or bytes that do not decode), `data-abnormal` (bytes do not
   *   hash to their CID), `limit-exceeded` (a block over 2 MiB), `unavailable` (disk full, write fault, no answer)
   */
  putMany(blocks: BlockStream, options?: PutOptions): Promise<PutResult>;
}

export interface PinStore {
  /**
   * Keeps the block and all it links to (dag-cbor and dag-pb links, recursively). Durable when it resolves. kubo fetches
   * what it lacks from the members of its swarm, as long as the time limit lets it, but does not look again at a root
   * that is pinned already (`checkHeld` does); the embedded store has no others to ask.
   * @throws `unavailable` (a part is missing), `data-abnormal`, `input-invalid`, `limit-exceeded` (a DAG too large)
   */
  pin(root: CID, options?: ReadOptions): Promise<void>;
  /** Gives the root up; resolves as well when it was not pinned. */
  unpin(root: CID, options?: ReadOptions): Promise<void>;
  /** Whether this CID is itself the root of a recursive pin. */
  isPinned(root: CID, options?: ReadOptions): Promise<boolean>;
}

export interface HeldOptions extends Pick<ReadOptions, 'signal' | 'timeoutMs'> {
  /** More blocks under the root than this end the call with `limit-exceeded`; default 4,000,000. */
  readonly maxBlocks?: number | undefined;
  /** After this many missing or altered blocks the call looks no further; default 1000. */
  readonly maxFaults?: number | undefined;
}

/** What of a DAG a store itself holds, read and hashed block by block. */
export interface HeldReport {
  /** Whether all of it is here and intact. */
  readonly held: boolean;
  /** Intact blocks met. */
  readonly blocks: number;
  readonly sizeBytes: number;
  /** Named by an intact block, or the root itself, and not here. What lies under it is not known. */
  readonly missing: readonly CID[];
  /** Here, with other bytes. What lies under it is not known. */
  readonly altered: readonly CID[];
}

/** What keeps a pinned DAG whole (S7): finding what was lost or altered behind the store's back, and putting it right. */
export interface BlockKeeper {
  /**
   * Whether the whole DAG under a root is here and intact. Reads every block from disk, and never asks others.
   * @throws `unavailable` (the store does not answer, or not in time), `limit-exceeded`, `input-invalid`
   */
  checkHeld(root: CID, options?: HeldOptions): Promise<HeldReport>;
  /**
   * Puts these bytes in the place of a missing or altered copy, pinned or not. Durable, and read back, when it resolves.
   * @throws as `putMany`; `unsupported` (kubo keeps the altered copy: its configuration caches what it holds)
   */
  repair(block: Block, options?: Pick<ReadOptions, 'signal' | 'timeoutMs'>): Promise<void>;
}

export interface FileStore {
  /**
   * Stores a file as UnixFS: raw leaves, 256 KiB chunks, balanced tree of width 174, CIDv1, so that its CID equals
   * kubo's `ipfs add --cid-version=1 --raw-leaves`. Durable when it resolves; not pinned.
   * @throws as `putMany`
   */
  addFile(content: ByteStream, options?: ReadOptions): Promise<CID>;
  /**
   * The content of a UnixFS file or raw block.
   * @throws as `get`; `input-invalid` when it is not a file
   */
  cat(cid: CID, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

export interface ContentStoreStats {
  readonly blocks: number;
  /** Bytes of the blocks themselves, without framing or index. */
  readonly sizeBytes: number;
  readonly pinnedRoots: number;
}

/** The content-store port (S5): one interface over the embedded store and kubo. */
export interface ContentStore extends BlockReader, BlockWriter, PinStore, BlockKeeper, FileStore {
  stats(options?: ReadOptions): Promise<ContentStoreStats>;
  /** Waits for writes under way, then gives up files, sockets and locks. Every later call is `unavailable`. */
  close(): Promise<void>;
}
