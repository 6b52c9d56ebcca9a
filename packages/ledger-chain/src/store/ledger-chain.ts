import type { Block } from '@waymark/content';
import type {
  BlockHash,
  Candidate,
  Digest,
  Header,
  MemberId,
  Seal,
  SealedBlock,
  Signature,
  Snapshot,
} from '@waymark/rsl';
import type { BodyCipher } from '../body/body-cipher.ts';
import type { RecordProof } from '../proof/record-proof.ts';

export interface LedgerChainOptions {
  /** Belongs to this chain alone; made when it does not exist. */
  readonly folder: string;
  /** Name of the ledger; a folder that holds another one is refused. */
  readonly ledger: string;
  readonly bodyCipher: BodyCipher;
}

/** A block of the chain with its content. */
export interface ChainBlock {
  readonly height: number;
  readonly header: Header;
  readonly seal: Seal;
  /** Content, salt and the center's signature under the candidate. */
  readonly candidate: Candidate;
}

/** A block as it lies on disk, and as members hand it to each other. */
export interface StoredBlock {
  readonly height: number;
  readonly hash: BlockHash;
  /** `encodeSeal`: header, center, its signature, the certificate. */
  readonly seal: Uint8Array;
  readonly candidateSignature: Signature;
  /** The header's block, then the body's root, then its parts. */
  readonly blocks: readonly Block[];
}

/** Where a record is in the chain. */
export interface RecordPlace {
  readonly oid: string;
  readonly height: number;
  /** Which submission of the block, from 0. */
  readonly item: number;
  /** Which record of the submission, from 0. */
  readonly index: number;
  readonly department: MemberId;
  readonly seq: number;
  /** Why it was rejected; null when it was accepted. */
  readonly reason: string | null;
}

/** Where a submission is in the chain. */
export interface SubmissionPlace {
  readonly department: MemberId;
  readonly seq: number;
  readonly hash: Digest;
  readonly height: number;
  readonly item: number;
  readonly records: number;
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** A range of blocks that the channel holds an anchor of. */
export interface AnchoredRange {
  readonly first: number;
  readonly last: number;
  /** Hash of the block at `last`, as the channel has it. */
  readonly hash: BlockHash;
  readonly txId: string;
}

/** Blocks below a snapshot that are not here yet, and what the topmost of them is called. */
export interface MissingRange {
  readonly first: number;
  readonly last: number;
  /** Hash of the block at `last`. */
  readonly hash: BlockHash;
}

export interface ProofOptions {
  /**
   * The seals that confirm a block: `core.confirmation`, for blocks so new that those above them are not applied. Default: those of the chain.
   */
  readonly confirmation?: ((height: number) => readonly Seal[] | null) | undefined;
}

/** What one member keeps of the confirmed chain: blocks in content-addressed segments, an index in SQLite. */
export interface LedgerChain {
  readonly ledger: string;
  /** Last block that is applied and durable; 0 for none. */
  readonly height: number;
  /** Hash of that block; the empty text for none. */
  readonly hash: BlockHash;
  /**
   * Takes confirmed blocks in order: blocks first, synced, then the index in one transaction. Where a power cut takes the end of the index, the member's log, which
   * holds all blocks since the last `sync`, applies them again. Blocks that are there already change nothing; many at once share one sync.
   * @throws WaymarkError internal: they do not follow the chain; data-abnormal: a body is not what its header names; unavailable: the disk
   */
  apply(blocks: readonly SealedBlock[]): Promise<void>;
  /** Makes all that was applied durable: before the member's log forgets it. @throws WaymarkError unavailable */
  sync(): Promise<void>;
  /** Whether an applied block holds this oid, accepted. */
  isRecorded(oid: string): boolean;
  /** Where a record was accepted, or else where it was rejected last; null when it is in no block here. */
  findRecord(oid: string): RecordPlace | null;
  submission(department: MemberId, seq: number): SubmissionPlace | null;
  /** Where a department's sequence stands. */
  lastSubmission(department: MemberId): { readonly seq: number; readonly hash: Digest } | null;
  /** Null above the chain, and in a range that is missing. */
  header(height: number): Header | null;
  seal(height: number): Seal | null;
  /** Headers from one height to another, both included. @throws WaymarkError gone: some of them are not here */
  headers(first: number, last: number): readonly Header[];
  /** @throws WaymarkError gone: not here; data-abnormal: the disk holds something else; unavailable */
  block(height: number): Promise<ChainBlock>;
  /** The block as others are given it. @throws WaymarkError as `block` */
  storedBlock(height: number): Promise<StoredBlock>;
  /** Accepted and rejected records of a block. @throws WaymarkError as `block` */
  records(height: number): Promise<readonly RecordPlace[]>;

  /** Takes the state at a confirmed block that lies above `height`; the blocks between are `missing` until they are filled in. */
  installSnapshot(snapshot: Snapshot): Promise<void>;
  /** Ranges that a snapshot skipped, highest first. */
  missing(): readonly MissingRange[];
  /**
   * Fills missing blocks in, from the top of the highest missing range down: each is the one that the block above it links to, so that it does not matter
   * who sends them. What is not asked for, or altered, ends the call; what came before it stays.
   * @returns number of blocks that were filled in
   * @throws WaymarkError data-abnormal, unavailable
   */
  backfill(blocks: Iterable<StoredBlock> | AsyncIterable<StoredBlock>): Promise<number>;

  /**
   * Remembers what the channel holds. The same range may be named again.
   * @throws WaymarkError data-abnormal: the channel names another block than is here (D12). It is remembered all the same.
   */
  markAnchored(range: AnchoredRange): void;
  /** Last height that an anchor covers; 0 for none. */
  readonly anchoredUpTo: number;
  /** The anchor that covers a block. */
  anchorOf(height: number): AnchoredRange | null;
  /** All of them, lowest first. */
  anchors(): readonly AnchoredRange[];

  /**
   * What proves to others that a record is in the ledger: under the anchor that covers it, or under seals when there is none yet.
   * @throws WaymarkError refused: no block here holds it; unavailable: its block cannot be proven yet; data-abnormal
   */
  proveRecord(oid: string, options?: ProofOptions): Promise<RecordProof>;
  /** Writes a consistent copy, while the chain goes on. @see restoreLedgerChain */
  backup(targetFolder: string): Promise<BackupManifest>;
  /** What the index says of itself, for `verifyChain`. */
  indexFacts(): IndexFacts;
  close(): Promise<void>;
}

/** Rows of the index, and what the database finds wrong with its own file. */
export interface IndexFacts {
  readonly blocks: number;
  readonly submissions: number;
  readonly records: number;
  readonly rejections: number;
  /** Reason codes. */
  readonly problems: readonly string[];
}

/** What a backup holds: one line of its `manifest.json`. */
export interface BackupManifest {
  readonly v: 1;
  readonly ledger: string;
  readonly height: number;
  /** Hash of the block at `height`. */
  readonly hash: BlockHash;
  /** Files with their sizes and SHA-256 in lower-case hex. */
  readonly files: readonly { readonly name: string; readonly sizeBytes: number; readonly sha256: string }[];
}
