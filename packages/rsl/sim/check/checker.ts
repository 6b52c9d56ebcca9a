import type { Message, Snapshot, SubmissionReceipt, PersistStep } from '../../src/index.ts';
import type { AnchorFact, BlockFact, MembershipFact } from './facts.ts';

/**
 * One rule of "What must hold" (rsl.md), judged after every step of the simulation. A checker is told what can be seen of members that follow the
 * protocol; it never looks inside the core. Each hook is called when its fact arises.
 */
export interface Checker {
  readonly name: string;
  /** A member put a message on the wire. */
  sent?(member: string, message: Message): void;
  /** Steps of a member became durable. */
  synced?(member: string, steps: readonly PersistStep[]): void;
  /** A member's disk holds nothing but these steps from now on. */
  replaced?(member: string, steps: readonly PersistStep[]): void;
  /** A center handed out a submission receipt. */
  receipt?(center: string, receipt: SubmissionReceipt): void;
  /** A department's member was given a receipt. */
  receiptTaken?(department: string, receipt: SubmissionReceipt): void;
  /** A center sealed a block. */
  sealed?(member: string, block: BlockFact): void;
  /** A member holds a block's header for final. */
  confirmed?(member: string, block: BlockFact): void;
  /** A member goes on from a state that it was sent. */
  snapshot?(member: string, snapshot: Snapshot): void;
  /** The chain took an anchor. */
  anchor?(anchor: AnchorFact): void;
  /** The chain refused what a center wanted to anchor. */
  anchorRefused?(center: string, height: number, reason: string): void;
  /** A member was shown the proof that a center lied. */
  proven?(member: string, liar: string): void;
  /** A member sees another header on the chain than its own. */
  mismatch?(member: string, height: number): void;
  /** All is quiet at the end. */
  end?(): void;
}

/** What every checker may know of its world. */
export interface Judged {
  /** Writes down that the rule does not hold. */
  readonly report: (message: string) => void;
  readonly first: MembershipFact;
  /** Members that follow the protocol. */
  readonly isHonest: (member: string) => boolean;
  /** No center of this world lies. */
  readonly honestWorld: boolean;
  /** Departments are in league with a lying center. */
  readonly hasColluders: boolean;
  /** Everything a department ever signed, by hash. */
  readonly signedBy: (
    hash: string,
  ) => { readonly department: string; readonly seq: number; readonly oids: readonly string[] } | undefined;
  /** Why a record is not compliant, in truth; null when it is. */
  readonly verdictOf: (oid: string) => string | null;
  readonly inclusionBlocks: number;
  /** Blocks that are final, as members confirm them: the first one at each height. */
  readonly chain: ReadonlyMap<number, BlockFact>;
}

export type CheckerFactory = (judged: Judged) => Checker;
