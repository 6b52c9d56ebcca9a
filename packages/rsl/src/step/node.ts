import type { Audit } from '../audit/audit.ts';
import type { Ack } from '../block/ack.ts';
import type { Candidate, Position } from '../block/candidate.ts';
import type { Submission, SubmissionReceipt } from '../block/submission.ts';
import type { Role } from '../core.ts';
import type { Crypto } from '../crypto.ts';
import type { HandOver, Vote, VoteCertificate } from '../election/vote.ts';
import type { Equivocation } from '../evidence.ts';
import type { BlockRef, MemberId } from '../ids.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log/log.ts';
import type { Configuration } from '../membership/configuration.ts';
import { inForce } from '../membership/epochs.ts';
import type { Message } from '../messages.ts';
import type { Progress } from '../progress.ts';
import type { Alert, PersistStep, Returned, SealedBlock } from '../ready.ts';
import type { ConfigurationProof, Snapshot } from '../snapshot/snapshot.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';

/** What has to be done and was not handed out yet. */
export interface Outbox {
  early: Message[];
  persist: PersistStep[];
  messages: Message[];
  receipts: SubmissionReceipt[];
  sealed: SealedBlock[];
  confirmed: SealedBlock[];
  snapshot: Snapshot | null;
  returned: Returned[];
  alerts: Alert[];
}

/** Whom this member follows in its term, and where that center's term starts. */
export interface Following {
  readonly center: MemberId;
  readonly base: BlockRef;
  /** What its first candidate has to repeat. */
  readonly required: readonly Position[];
}

/** An election in which this member stands. */
export interface Campaign {
  readonly pre: boolean;
  readonly handOver: HandOver | null;
  readonly answers: Map<MemberId, boolean>;
  readonly votes: Map<MemberId, Vote>;
}

/** What only a center has. */
export interface Leadership {
  readonly certificate: VoteCertificate;
  readonly progress: Map<MemberId, Progress>;
  /** Acknowledgements of the candidate on top of the log. */
  acks: Map<string, Ack>;
  refusals: Map<MemberId, string>;
  /** Whether the candidate on top is durable here: only then does a trusted center's own acknowledgement count. */
  isOwnDurable: boolean;
  /** A block of this term was proposed. */
  hasOpened: boolean;
  configuration: Configuration | null;
  handOver: { readonly to: MemberId; ticks: number; isSent: boolean } | null;
  /** A heartbeat is due. */
  isBeatDue: boolean;
  /** Ticks since the last block was sealed. */
  ticksSinceSeal: number;
  checkTicks: number;
}

/** A submission that was accepted and is not in a block. */
export interface Queued {
  readonly submission: Submission;
  readonly receipt: SubmissionReceipt;
}

/** One member's whole state. Only the functions of this folder change it. */
export interface Node {
  readonly ledger: string;
  readonly id: MemberId;
  readonly crypto: Crypto;
  readonly audit: Audit;
  readonly random: () => number;
  /** The ledger's root of trust (epoch 1). */
  readonly firstConfiguration: Configuration;
  readonly limits: Limits;
  readonly faults: PlantedFaults;
  readonly log: Log;
  nowMs: number;
  role: Role;
  term: number;
  votedFor: MemberId | null;
  /** Center that this member follows or has followed in this term; durable. */
  boundTo: MemberId | null;
  /** Set once the center's election was checked. */
  following: Following | null;
  electionElapsed: number;
  heartbeatElapsed: number;
  timeoutTicks: number;
  campaign: Campaign | null;
  leadership: Leadership | null;
  /** Submissions accepted here, in order. */
  queue: Queued[];
  queuedRecords: number;
  /** Receipts for this member's own submissions. */
  ownReceipts: SubmissionReceipt[];
  liars: Map<MemberId, Equivocation>;
  /** Last candidate refused, so that a second one for its place is noticed. */
  refusedCandidate: Candidate | null;
  /** Last confirmed height that was handed out. */
  confirmed: number;
  /** Last confirmed height that the driver has applied. */
  applied: number;
  /** Stands for the log's base; null at the beginning of the ledger. */
  snapshot: Snapshot | null;
  /** Proofs of the configurations up to the log's base. */
  configurations: readonly ConfigurationProof[];
  out: Outbox;
}

export function emptyOutbox(): Outbox {
  return {
    early: [],
    persist: [],
    messages: [],
    receipts: [],
    sealed: [],
    confirmed: [],
    snapshot: null,
    returned: [],
    alerts: [],
  };
}

/** Configurations that this member's log puts in force: with a change on top, both. */
export function configurationsOf(node: Node): readonly Configuration[] {
  return inForce(node.log.top.epochs, node.log.open?.candidate.content);
}

/** Whether a center may lie, under any configuration in force. */
export function mayCenterLie(node: Node): boolean {
  return configurationsOf(node).some(({ profile }) => profile.center === 'lying');
}

/** All members and learners but this one. */
export function peersOf(node: Node): readonly MemberId[] {
  const peers = new Set<MemberId>();
  for (const { members, learners } of configurationsOf(node)) {
    for (const member of [...members, ...learners]) if (member !== node.id) peers.add(member);
  }
  return [...peers].sort();
}

/** Sends a message once what was persisted up to now is durable. */
export function send(node: Node, message: Message): void {
  node.out.messages.push(message);
}

export function persist(node: Node, step: PersistStep): void {
  node.out.persist.push(step);
}

/** Makes term, vote and center durable. */
export function persistHardState(node: Node): void {
  const { faults } = node;
  if (faults.forgetTerm === true) return;
  persist(node, {
    type: 'hard-state',
    term: node.term,
    votedFor: faults.forgetVote === true ? null : node.votedFor,
    center: node.boundTo,
  });
}
