/** Where the channel has what is kept: as evidence, or under an anchor of a private ledger. */
export type Place =
  | { readonly kind: 'batch'; readonly evidenceId: string }
  | { readonly kind: 'block'; readonly height: number; readonly hash: string };

/** A batch, or the body of a block of a private ledger, that the channel has and every member keeps. */
export interface KeptUnit {
  /** In the order in which they were taken in, from 1. */
  readonly id: number;
  readonly msp: string;
  readonly cid: string;
  /** Whether it is of this organisation. */
  readonly own: boolean;
  readonly place: Place;
}

/** One of them that is not pinned here. */
export interface WaitingUnit extends KeptUnit {
  readonly attempts: number;
}

/** A batch as the channel has it. */
export interface AnchoredBatch {
  /** Place in the order of the channel, from 1. */
  readonly position: number;
  readonly evidenceId: string;
  readonly msp: string;
  readonly cid: string;
  readonly own: boolean;
  /** Whether it is pinned here already. */
  readonly pinned: boolean;
}

/** A block of a private ledger under an anchor. */
export interface AnchoredBlock {
  readonly height: number;
  /** CID of the header. */
  readonly hash: string;
  readonly header: Uint8Array;
  /** CID of the body. */
  readonly cid: string;
  /** Whether the body is pinned here already. */
  readonly pinned: boolean;
}

/** What is known of one organisation's copy. */
export interface ReplicaFacts {
  readonly msp: string;
  /** `held`: by its receipt, or by the last check; `away`: not to be asked then; `lost`: not there, or not intact. */
  readonly state: 'held' | 'away' | 'lost';
  readonly node: string;
  readonly pinnedAtMs: number;
  readonly receipt: Uint8Array;
}

/** Where the store has read the channel to. */
export interface PinCursor {
  readonly position: number;
  readonly evidenceId: string;
}

/** How far the anchors of a private ledger were read; height 0 and an empty hash before the first. */
export interface LedgerCursor {
  readonly height: number;
  readonly hash: string;
}

/** What the center knows of pins: its own, those of the other organisations, and what is still to be done. */
export interface PinStore {
  cursor(): PinCursor;
  /** Begins to read the channel again from its first evidence. */
  rewind(): void;
  /** Takes batches in from the channel and moves the cursor behind them. */
  anchor(batches: readonly AnchoredBatch[]): void;
  ledgerCursor(msp: string): LedgerCursor;
  /** Begins to read a ledger's anchors again from the first. */
  rewindLedger(msp: string): void;
  /** Takes the blocks of an anchor in, lowest first, and moves the ledger's cursor behind them. */
  anchorBlocks(msp: string, own: boolean, blocks: readonly AnchoredBlock[]): void;
  /** Organisations of whose ledgers an anchor was taken in. */
  ledgers(): string[];
  /** Bytes of a block's header; undefined for a batch. */
  header(id: number): Uint8Array | undefined;
  /** The unit with this CID, an own one first: nothing keeps an organisation from naming another's CID in its evidence. */
  anchored(cid: string): KeptUnit | undefined;
  /** Own ones behind an id. */
  ownAfter(id: number, limit: number): KeptUnit[];
  /** Those of the others behind an id that were pinned here. */
  othersPinnedAfter(id: number, limit: number): KeptUnit[];
  /** Own ones behind an id of which somebody who gave a receipt was found not to hold its copy, or could not be asked. */
  missingAfter(id: number, limit: number): KeptUnit[];
  /** Organisations with something that is to be pinned here by now. */
  waitingOrganisations(nowMs: number): string[];
  waiting(msp: string, nowMs: number, limit: number): WaitingUnit[];
  /** When the next unit is due that is not due yet. */
  nextWaitingAtMs(nowMs: number): number | undefined;
  markPinned(id: number): void;
  postpone(id: number, dueAtMs: number): void;
  /** Says that they are not here any more, or not whole. */
  markWaiting(ids: readonly number[]): void;

  /** The receipt this center gives for a batch it keeps. */
  kept(cid: string): Uint8Array | undefined;
  /** Enters a batch this center keeps. @param offeredBy the organisation that asked for it, while the channel does not have it */
  keep(cid: string, receipt: Uint8Array, offeredBy: { msp: string; atMs: number } | undefined): void;
  offeredBy(cid: string): string | undefined;
  offers(msp: string): number;
  /** Batches offered before a time and not anchored since. */
  staleOffers(beforeMs: number, limit: number): string[];
  withdraw(cid: string): void;

  /** Organisations whose receipt, or own copy, for a batch is known. */
  replicas(cid: string): ReplicaFacts[];
  receiptCount(cid: string): number;
  addReplica(cid: string, replica: Omit<ReplicaFacts, 'state'>): void;
  setReplicaState(cid: string, msp: string, state: ReplicaFacts['state']): void;
  /** Organisations that are no members any more hold nothing that counts. */
  retainReplicas(cid: string, msps: readonly string[]): void;

  /** Asks these organisations for receipts, unless they have given them. */
  want(cids: readonly string[], msps: readonly string[]): void;
  /** The same for everything of the own organisation on the channel, once for each organisation that is new; forgets what those gone were asked for. */
  wantFromMembers(msps: readonly string[]): void;
  wanted(msp: string, nowMs: number, limit: number): { cid: string; attempts: number }[];
  nextWantedAtMs(msp: string, nowMs: number): number | undefined;
  wantedCount(msp: string): number;
  postponeWanted(msp: string, cid: string, dueAtMs: number): void;
  /** Forgets what is never going to be anchored. */
  forget(cid: string): void;

  counts(replicas: number): { anchored: number; replicated: number; waiting: number };
  close(): void;
}
