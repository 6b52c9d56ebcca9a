import type { Ack } from './block/ack.ts';
import type { Candidate } from './block/candidate.ts';
import type { Seal } from './block/header.ts';
import type { Submission, SubmissionReceipt } from './block/submission.ts';
import type { Equivocation } from './evidence.ts';
import type { BlockHash, MemberId } from './ids.ts';
import type { Message } from './messages.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/**
 * One durable change. A member's disk is the list of these in order; handing the same list to `createCore` brings the member back. A torn tail
 * is a shorter list.
 */
export type PersistStep =
  /** Replaces the one before. */
  | {
      readonly type: 'hard-state';
      readonly term: number;
      readonly votedFor: MemberId | null;
      /** Center that is followed in this term. */
      readonly center: MemberId | null;
    }
  /** Puts a candidate at its height; whatever was at this height or above is gone. */
  | { readonly type: 'candidate'; readonly candidate: Candidate; readonly ack: Ack | null }
  /** Signs a candidate that is there already. */
  | { readonly type: 'ack'; readonly ack: Ack }
  /** Seals the topmost candidate. */
  | { readonly type: 'seal'; readonly seal: Seal }
  /** Takes away the entry at this height and all above. */
  | { readonly type: 'truncate'; readonly height: number }
  /** A submission that the center accepted and has not in a block yet. */
  | { readonly type: 'submission'; readonly submission: Submission; readonly receipt: SubmissionReceipt }
  /** Everything up to here is confirmed. Only speeds up recovery: it can be found out from the blocks. */
  | { readonly type: 'confirmed'; readonly height: number }
  /** A center that lied. */
  | { readonly type: 'evidence'; readonly evidence: Equivocation }
  /** Replaces the whole log by the state at a confirmed block. */
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  /** Entries up to the snapshot's height are gone; those above stay. */
  | { readonly type: 'compact'; readonly snapshot: Snapshot };

/** A block with its content, as the driver stores and serves it. */
export interface SealedBlock {
  readonly candidate: Candidate;
  readonly seal: Seal;
}

/** Something an operator must see. */
export type Alert =
  /** The center was proven to sign two things for one place. */
  | { readonly type: 'equivocation'; readonly evidence: Equivocation }
  /** The channel holds another header for a block than this member (D12). */
  | {
      readonly type: 'anchor-mismatch';
      readonly height: number;
      readonly anchored: BlockHash;
      readonly held: BlockHash;
    }
  /** This member will not acknowledge what the center pushes. */
  | {
      readonly type: 'refused';
      readonly height: number;
      readonly term: number;
      readonly center: MemberId;
      readonly reason: string;
    };

/** Submissions that go back to their departments: the candidate they were in was refused by too many. */
export interface Returned {
  readonly department: MemberId;
  readonly seq: number;
  readonly reason: string;
}

/** What the driver has to do, in the order of the fields (README.md, "The driver's duties in order"). */
export interface Ready {
  /** May be sent at once, before anything is durable: the center's candidates (Raft thesis section 10.2.1). */
  readonly early: readonly Message[];
  /**
   * Blocks that got their certificate: a quorum holds them durably, so that this may be told at once. Their content is decided unless their center lies;
   * their header may still be made anew by another center.
   */
  readonly sealed: readonly SealedBlock[];
  /** To be made durable, in order, with one fsync for all. Nothing below may be done before. */
  readonly persist: readonly PersistStep[];
  /** To be sent when `persist` is durable. */
  readonly messages: readonly Message[];
  /** To be handed to the submitters when `persist` is durable. */
  readonly receipts: readonly SubmissionReceipt[];
  /** Blocks whose header is final, in order of height: apply them, serve them, give them to the anchor relay, send receipts. */
  readonly confirmed: readonly SealedBlock[];
  /** A state that replaces all that was applied before. */
  readonly snapshot: Snapshot | null;
  readonly returned: readonly Returned[];
  readonly alerts: readonly Alert[];
}
