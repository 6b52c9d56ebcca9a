import type { Audit } from './audit/audit.ts';
import type { Seal } from './block/header.ts';
import type { Submission, SubmissionReceipt } from './block/submission.ts';
import type { Crypto } from './crypto.ts';
import type { VoteCertificate } from './election/vote.ts';
import type { Equivocation } from './evidence.ts';
import type { BlockHash, BlockRef, MemberId } from './ids.ts';
import type { Limits } from './limits.ts';
import type { MembershipChange } from './membership/change.ts';
import type { Configuration } from './membership/configuration.ts';
import type { Message } from './messages.ts';
import type { PersistStep, Ready, SealedBlock } from './ready.ts';
import type { DepartmentCursor, Snapshot } from './snapshot/snapshot.ts';
import type { PlantedFaults } from './testing-seams/faults.ts';

/** What one member's core is made from. */
export interface CoreOptions {
  readonly ledger: string;
  readonly id: MemberId;
  /** The first configuration (epoch 1): the ledger's root of trust. Later ones are in the ledger. */
  readonly configuration: Configuration;
  readonly crypto: Crypto;
  readonly audit: Audit;
  /** A whole number from 0 to 2^32 - 1: election time-outs and salts are drawn from it. */
  readonly random: () => number;
  readonly limits?: Partial<Limits>;
  /** All steps that earlier `ready()`s handed out to persist, in order, as far as the disk holds them. */
  readonly persisted?: readonly PersistStep[];
  /** Last confirmed height that the driver's own stores hold: what is confirmed above it comes out of the first `ready()` again. Default 0. */
  readonly applied?: number;
  /** Tests only. */
  readonly faults?: PlantedFaults;
}

/** What a member is at the moment. A learner follows; it is not counted. */
export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'center';

/** How a member stands. */
export interface Status {
  readonly id: MemberId;
  readonly role: Role;
  readonly term: number;
  /** Center that is followed, if one is known. */
  readonly center: MemberId | null;
  /** Last place of the log, sealed or not. */
  readonly height: number;
  readonly sealed: BlockRef;
  readonly confirmed: BlockRef;
  /** Lowest block that is still in memory; below it there is the snapshot. */
  readonly firstHeight: number;
  readonly configuration: Configuration;
  /** A change of the configuration that is not confirmed yet. */
  readonly pendingConfiguration: Configuration | null;
  readonly votedFor: MemberId | null;
  readonly pendingRecords: number;
  readonly handingOverTo: MemberId | null;
  /** Per other member, at the center only. */
  readonly progress: readonly {
    readonly member: MemberId;
    readonly mode: 'probe' | 'replicate' | 'snapshot';
    readonly match: number;
    readonly sealed: number;
  }[];
  /** Centers that were proven to lie. */
  readonly liars: readonly MemberId[];
}

/** Why a proposal was not taken. `center` tells whom to ask instead. */
export type ProposeResult =
  | { readonly accepted: true; readonly receipt: SubmissionReceipt | null }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly center: MemberId | null };

export type RefusalReason =
  | 'not-center'
  | 'handing-over'
  | 'busy'
  | 'too-large'
  | 'recipient-mismatch'
  | 'submission-malformed'
  | 'signature-invalid'
  | 'sequence-gap'
  | 'replay-conflict'
  | 'already-recorded'
  | 'change-pending'
  | 'change-impossible';

/**
 * The pure core of one member: a step machine without I/O, clock or randomness of its own. The caller's duties are in README.md. No function
 * throws for what a message says; a `WaymarkError` of code `internal` is a broken invariant, and the member must stop.
 */
export interface RslCore {
  /** Time passes: heartbeats, election time-outs. `nowMs` is this member's wall clock. */
  tick(nowMs: number): void;
  /** A message has come in. Whatever it says is checked; what is not for this member or this ledger is dropped. */
  step(message: Message, nowMs: number): void;
  /** At the center: takes a submission into the next block. Its receipt also comes out of `ready()`, when it may be sent. */
  propose(submission: Submission, nowMs: number): ProposeResult;
  /** At the center: changes the configuration through the log. */
  changeMembership(change: MembershipChange): ProposeResult;
  /** At the center: hands over to an eligible member that has everything. */
  handOver(to: MemberId): ProposeResult;
  /** Stands for election now, as if the time-out had passed. */
  campaign(): void;
  /** A receipt for this member's own submission: from now on it misses the submission when the center leaves it out. */
  receipted(receipt: SubmissionReceipt): void;
  /** The channel holds this header hash for this height (D7, D12): confirms what agrees, reports what does not. */
  anchored(height: number, hash: BlockHash): void;
  /** A proof of a lie that was found elsewhere. */
  accuse(evidence: Equivocation): void;
  /** Forgets blocks up to a confirmed height; answers the snapshot that stands for them, or null when that is not possible there. */
  compact(height: number): Snapshot | null;
  /** Whether `ready()` would have anything. */
  hasReady(): boolean;
  /** What is to be done now. Until `advance()`, it is the same. */
  ready(): Ready;
  /** The last `ready()` was persisted. */
  advance(): void;
  status(): Status;
  /** The shortest list of steps that brings this member back: for rewriting its disk. */
  checkpoint(): readonly PersistStep[];
  /** Proof that a block in memory is confirmed: its seal and those above it that confirm it (`isConfirmedBySeals`). Goes with its anchor. */
  confirmation(height: number): readonly Seal[] | null;
  /** Why this member is center, while it is: goes with its first anchor (`makeAnchor`). */
  election(): VoteCertificate | null;
  /** Where a department's sequence stands at the center: its last submission that is in the log or waits to be; null when there is none. */
  position(department: MemberId): DepartmentCursor | null;
  /** A block in memory. */
  block(height: number): SealedBlock | null;
}
