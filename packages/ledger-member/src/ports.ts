import type { LogPosition } from '@waymark/ledger-log';
import type { Alert, MemberId, Message, Returned, SealedBlock, Snapshot } from '@waymark/rsl';

/** What a member keeps of the confirmed chain. */
export interface MemberChain {
  /** Last height that is applied. */
  readonly height: number;
  /** Blocks in order, the first one above `height`; blocks that are there already change nothing. The log holds them until after the next `sync`. */
  apply(blocks: readonly SealedBlock[]): Promise<void>;
  /** Makes all that was applied durable. */
  sync(): Promise<void>;
  /** Takes a state that replaces all below it; the blocks themselves are fetched afterwards. */
  installSnapshot(snapshot: Snapshot): Promise<void>;
  /** Whether an applied block holds this oid, accepted. */
  isRecorded(oid: string): boolean;
}

/** The way to the other members. Messages may be lost, repeated, delayed and reordered. */
export interface MemberPeers {
  /** Never waits. */
  send(message: Message): void;
  /** Tells every connected member anew how far this member's log has got. */
  announce(): void;
}

/** What two members tell each other when they connect, and now and then. */
export interface MemberGreeting {
  /** How far the sender's own log has got. */
  readonly position: LogPosition;
  /** What the sender last heard from the receiver about the receiver's log. */
  readonly remembered: LogPosition | null;
}

/** What the member tells the service around it. None of them may throw. */
export interface MemberEvents {
  /** Blocks that a quorum holds durably. With a trusted center their content stays; with a lying one it is news, not a promise (docs/rsl.md, "What does not hold"). */
  readonly onSealed?: (blocks: readonly SealedBlock[]) => void;
  /** Blocks that are confirmed, in order, and durable in the log: before they are applied. News for who waits; services go by `onApplied`. */
  readonly onConfirmed?: (blocks: readonly SealedBlock[]) => void;
  /** Blocks that are confirmed and applied here, in order. */
  readonly onApplied?: (blocks: readonly SealedBlock[]) => void;
  /** The state of the chain was replaced: its blocks below are to be fetched. */
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** Center, term or role changed. */
  readonly onOffice?: (office: Office) => void;
  readonly onReturned?: (returned: readonly Returned[]) => void;
  readonly onAlert?: (alert: MemberAlert) => void;
  /** The member has stopped for good: its disk, or a broken invariant. */
  readonly onFault?: (error: unknown) => void;
}

/** Who is in office, as far as this member knows. */
export interface Office {
  readonly center: MemberId | null;
  readonly term: number;
  /** Whether that is this member, and it has not been without time to notice that it is not any more. */
  readonly isHere: boolean;
}

export type MemberAlert =
  | Alert
  /** Another member remembers more of this member's log than the disk holds (docs/rsl.md, "Lost disks"). */
  | { readonly type: 'forgotten'; readonly by: MemberId; readonly standing: 'lost' | 'another-log' | 'too-old' };
