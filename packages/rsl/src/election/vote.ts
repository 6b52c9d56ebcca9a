import type { Position } from '../block/candidate.ts';
import type { Seal } from '../block/header.ts';
import type { Statement } from '../statement.ts';
import type { BlockRef, MemberId, Signature } from '../ids.ts';

/** How far a member's log goes: what elections compare (Raft section 5.4.1). */
export interface LogEnd {
  /** Its last sealed block; height 0 and term 0 when there is none. */
  readonly sealed: BlockRef;
  /** The candidate above it that it acknowledged last, if any (rsl.md: voters attach their last ack). */
  readonly candidate: Position | null;
}

/** A signed vote, with the voter's log end in it. */
export interface Vote {
  readonly ledger: string;
  /** Epoch of the configuration that the candidate stands under. */
  readonly epoch: number;
  readonly term: number;
  readonly candidate: MemberId;
  readonly voter: MemberId;
  readonly logEnd: LogEnd;
  readonly signature: Signature;
}

/** What a voter signs. */
export function voteStatement(vote: Omit<Vote, 'signature'>): Statement {
  const { sealed, candidate } = vote.logEnd;
  return [
    'waymark/rsl/vote/v1',
    vote.ledger,
    vote.epoch,
    vote.term,
    vote.candidate,
    vote.voter,
    [sealed.height, sealed.term, sealed.hash],
    candidate === null ? null : [candidate.height, candidate.term, candidate.prev, candidate.root, candidate.count],
  ];
}

/** Why a center is one: a quorum of votes, and the block its term starts from (rsl.md, "Strong leadership"). */
export interface VoteCertificate {
  readonly epoch: number;
  readonly term: number;
  readonly center: MemberId;
  /** The center's last sealed block when it was elected; none when the ledger is empty. */
  readonly base: Seal | null;
  readonly votes: readonly Vote[];
}

/** The center's signed order to a standby to take over (rsl.md: planned hand-over). */
export interface HandOver {
  readonly ledger: string;
  readonly term: number;
  readonly from: MemberId;
  readonly to: MemberId;
  readonly signature: Signature;
}

/** What the center signs when it hands over. */
export function handOverStatement(handOver: Omit<HandOver, 'signature'>): Statement {
  const { ledger, term, from, to } = handOver;
  return ['waymark/rsl/hand-over/v1', ledger, term, from, to];
}
