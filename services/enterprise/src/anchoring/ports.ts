import type { Configuration, Crypto, Header, MemberId, Seal, VoteCertificate } from '@waymark/rsl';
import type { AnchorContract, AnchorOutcome, LedgerAlert, LedgerReplica } from '@waymark/service-kit';

/** The own chain: applied, confirmed blocks without a gap. */
export interface RelayChain {
  /** The last applied block; 0 before the first. */
  height(): number;
  /** Header of an applied block. @throws WaymarkError when it is not there or cannot be read */
  header(height: number): Header | Promise<Header>;
  /** The block that brought an epoch's members, and these; null when none has. */
  configuration(epoch: number): ConfigurationBlock | null | Promise<ConfigurationBlock | null>;
}

/** A block that holds a configuration. */
export interface ConfigurationBlock {
  readonly height: number;
  readonly configuration: Configuration;
}

/** The member of the ledger that this process is. */
export interface RelayMember {
  readonly id: MemberId;
  /** Signs as this member. */
  readonly crypto: Crypto;
  isCenter(): boolean;
  term(): number;
  /** What confirms a block (`RslCore.confirmation`), null when this member does not have it any more. */
  confirmation(height: number): readonly Seal[] | null | Promise<readonly Seal[] | null>;
  /** Why this member is center (`RslCore.election`). */
  election(): VoteCertificate | null;
}

/** Why the channel needs to see an election of this member. */
export type ElectionNeed =
  /** The channel has no anchor of this term, and this member does not have its election. */
  | 'lost'
  /** The channel does not take the election that this member has: a certificate under it was revoked, or it is none. */
  | 'not-taken';

/** What a relay is made of. */
export interface AnchorRelayParts {
  readonly mspId: string;
  readonly chain: RelayChain;
  readonly member: RelayMember;
  readonly channel: Pick<AnchorContract, 'anchor' | 'configure' | 'head'>;
  readonly replica: Pick<LedgerReplica, 'anchorCovering' | 'ledgerHead'>;
  /**
   * Puts header and body of these blocks into the firm's content store, pinned; resolves when others can get them. May be called again for
   * the same blocks.
   */
  readonly publish: (first: number, last: number) => Promise<void>;
  /** The highest block from `first` to `last` that may be anchored now; below `first`: none. Default: all. The relay is to be woken when there are more. */
  readonly mayAnchor?: (first: number, last: number) => number;
  /** Asks the member for an election in a new term: by campaign or by hand-over. Asked again after `askAgainMs`. */
  readonly needsElection: (why: ElectionNeed) => void;
  /**
   * `anchor-mismatch`: the channel is above the own chain and stays so, or holds another one: the relay has stopped, for good.
   * `chain-damaged`: an own block is not what it was stored as; tried again.
   */
  readonly onAlert: (alert: LedgerAlert) => void;
  /** A range is on the channel. */
  readonly onAnchored?: (outcome: AnchorOutcome) => void;
  /** Told of every fault that is going to be tried again. */
  readonly onRetry: (error: unknown, delayMs: number) => void;
  /** Resolves early when `signal` aborts; never rejects. Default: a timer. */
  readonly delay?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** A clock that never goes back. Default `performance.now`. */
  readonly nowMs?: () => number;
  readonly limits?: Partial<RelayLimits>;
}

/** Times and sizes of a relay. */
export interface RelayLimits {
  /** Least time from one anchor to the next; twice the time that the last one took is enough, if that is less, and 250 ms. */
  readonly minIntervalMs: number;
  /** Blocks of one anchor. */
  readonly maxRangeBlocks: number;
  /** Blocks without records wait so long for one with records to go with. */
  readonly emptyBlocksWaitMs: number;
  /** So long the channel may be above the own chain, after a change of the center, before it is an alert. */
  readonly aheadGraceMs: number;
  readonly askAgainMs: number;
  /** Without being woken, looks again after. */
  readonly pollMs: number;
  /** Waits after an error: doubles from the first to the second. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** The backlog is full from so many unanchored blocks or records on. */
  readonly maxBacklogBlocks: number;
  readonly maxBacklogRecords: number;
}

export const defaultRelayLimits: RelayLimits = {
  minIntervalMs: 2_000,
  maxRangeBlocks: 1_024,
  emptyBlocksWaitMs: 30_000,
  aheadGraceMs: 30_000,
  askAgainMs: 30_000,
  pollMs: 5_000,
  firstRetryMs: 200,
  longestRetryMs: 10_000,
  maxBacklogBlocks: 4_096,
  maxBacklogRecords: 1_000_000,
};

/** What is confirmed and not anchored. */
export interface AnchorBacklog {
  readonly blocks: number;
  /** Accepted and rejected ones. A lower bound for blocks that have not been counted yet. */
  readonly records: number;
  /** Intake is to stop until it is false again. */
  readonly full: boolean;
}

/** How a relay stands. `idle`: not in office, or nothing to do. */
export type RelayPhase = 'stopped' | 'idle' | 'anchoring' | 'retrying' | 'mismatch';

/** Takes confirmed blocks to the channel, in order, each in exactly one anchor (D7). */
export interface AnchorRelay {
  readonly name: 'anchor-relay';
  start(): void;
  /** Blocks were applied, the member's office has changed, or `mayAnchor` lets more through. */
  wake(): void;
  stop(): Promise<void>;
  backlog(): AnchorBacklog;
  readonly phase: RelayPhase;
}
