import type { Ack } from './block/ack.ts';
import type { Candidate } from './block/candidate.ts';
import type { Seal } from './block/header.ts';
import type { HandOver, LogEnd, Vote, VoteCertificate } from './election/vote.ts';
import type { Equivocation } from './evidence.ts';
import type { BlockHash, MemberId } from './ids.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** One place of the log: what was proposed there and, except for the topmost, its seal. */
export interface LogEntry {
  readonly candidate: Candidate;
  readonly seal: Seal | null;
}

interface Common {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
}

/**
 * Center to member (Raft section 5.3, with a vote on content): entries that follow the sealed block `prev`. `seal` is that block's seal for a
 * member that holds only its candidate. Without entries it is a heartbeat. `election` says why the sender is center, until the member has
 * answered once.
 */
export interface AppendMessage extends Common {
  readonly type: 'append';
  readonly prev: { readonly height: number; readonly hash: BlockHash };
  readonly seal: Seal | null;
  readonly entries: readonly LogEntry[];
  readonly election: VoteCertificate | null;
}

/** Answer to `append` and `snapshot`. */
export interface AppendReply extends Common {
  readonly type: 'append-reply';
  /** `matched`: holds everything up to `height`; `gap`: does not hold `prev`; `refused`: will not acknowledge, with a reason; `stale`: the sender is no center here. */
  readonly result: 'matched' | 'gap' | 'refused' | 'stale';
  /** `matched`: last height that agrees with the sender; else the last sealed height here. */
  readonly height: number;
  /** Last sealed height here. */
  readonly sealed: number;
  /** For the topmost candidate, if this member acknowledged it in this term. */
  readonly ack: Ack | null;
  readonly reason: string | null;
  /** Whether the sender's election still has to be shown to this member. */
  readonly needsElection: boolean;
}

/** Asks for a vote, or with `pre` whether one would be given (Raft section 5.2; thesis section 9.6). */
export interface VoteRequest extends Common {
  readonly type: 'vote-request';
  /** `term` is the one stood for, also with `pre`. */
  readonly pre: boolean;
  readonly epoch: number;
  readonly logEnd: LogEnd;
  /** Lets voters leave a living center (Raft thesis section 3.10). */
  readonly handOver: HandOver | null;
}

export interface VoteReply extends Common {
  readonly type: 'vote-reply';
  /** The term that was asked about; `term` is the voter's own. */
  readonly asked: number;
  readonly pre: boolean;
  readonly granted: boolean;
  /** Given with a real vote only. */
  readonly vote: Vote | null;
  /** Why not: `behind` means that the asker can fetch what it lacks here. */
  readonly reason: string | null;
}

/** Center to standby: take over now. */
export interface HandOverMessage extends Common {
  readonly type: 'hand-over';
  readonly handOver: HandOver;
}

/** The state at a confirmed block, for a member whose next block is compacted away here. */
export interface SnapshotMessage extends Common {
  readonly type: 'snapshot';
  readonly snapshot: Snapshot;
  readonly election: VoteCertificate | null;
}

/** Asks any member for what follows `height` (rsl.md, protocol step 5). */
export interface FetchMessage extends Common {
  readonly type: 'fetch';
  readonly height: number;
}

/** Answer to `fetch`: blocks that prove themselves, or a snapshot first. */
export interface BlocksMessage extends Common {
  readonly type: 'blocks';
  readonly snapshot: Snapshot | null;
  readonly entries: readonly LogEntry[];
}

/** Tells every member that a center lied. */
export interface EvidenceMessage extends Common {
  readonly type: 'evidence';
  readonly evidence: Equivocation;
}

export type Message =
  | AppendMessage
  | AppendReply
  | VoteRequest
  | VoteReply
  | HandOverMessage
  | SnapshotMessage
  | FetchMessage
  | BlocksMessage
  | EvidenceMessage;
