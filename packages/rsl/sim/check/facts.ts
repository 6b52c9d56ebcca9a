/**
 * What can be seen of a ledger from outside: the facts that checkers judge. They are taken from messages on the wire, from disks and from the
 * chain, in plain forms of the simulator's own. Nothing here comes from the core's bookkeeping.
 */

/** One submission in a block. */
export interface EntryFact {
  readonly department: string;
  readonly seq: number;
  readonly hash: string;
  readonly oids: readonly string[];
  /** Indexes and reasons of what was rejected. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

/** One acknowledgement in a certificate. */
export interface AckFact {
  readonly signer: string;
  readonly ackTimeMs: number;
  /** Whether the signer signed just this place, content and time. */
  readonly signed: boolean;
}

/** Members of one configuration. */
export interface MembershipFact {
  readonly epoch: number;
  readonly members: readonly string[];
  readonly learners: readonly string[];
  readonly lyingCenter: boolean;
  readonly tolerated: number;
}

/** A sealed block. `hash`, `root`, `accepted` and `rejected` are as stated; the `own` ones are the simulator's arithmetic. */
export interface BlockFact {
  readonly height: number;
  readonly term: number;
  readonly epoch: number;
  readonly prev: string;
  readonly hash: string;
  readonly root: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly timestampMs: number;
  readonly departments: string;
  readonly salt: string;
  readonly own: { readonly hash: string; readonly root: string; readonly accepted: number; readonly rejected: number };
  readonly center: string;
  readonly centerSigned: boolean;
  readonly entries: readonly EntryFact[];
  readonly configuration: MembershipFact | null;
  readonly acks: readonly AckFact[];
}

/** An anchor that the chain took. */
export interface AnchorFact {
  readonly first: number;
  readonly last: number;
  readonly hash: string;
  readonly term: number;
  readonly epoch: number;
}
