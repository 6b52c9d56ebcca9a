import type { Message, PersistStep, Ready, SealedBlock, SubmissionReceipt } from '../../src/index.ts';
import type { Violation } from '../run/result.ts';
import { verdictOf } from '../member/submitter.ts';
import type { Checker, CheckerFactory } from './checker.ts';
import type { AnchorFact, BlockFact, MembershipFact } from './facts.ts';
import type { BlockReader } from './recompute.ts';
import { agreement, acknowledgedKept, oneHeader, prefix } from './rules/agreement.ts';
import { anchors } from './rules/anchors.ts';
import { certificates, contentHashes, membershipSteps, snapshots, timestamps } from './rules/blocks.ts';
import { durability } from './rules/durable.ts';
import { acceptedOnce, heldBack, sequences, signedRecords, verdicts } from './rules/records.ts';
import { upToDate } from './rules/logs.ts';
import { election, noRegress, oneCenter, oneVote, provenLiars } from './rules/terms.ts';

/** All rules that are judged after every step. `liveness` and `core-invariant` are judged by the run itself. */
export const RULES: readonly CheckerFactory[] = [
  agreement,
  oneHeader,
  prefix,
  acknowledgedKept,
  signedRecords,
  sequences,
  acceptedOnce,
  verdicts,
  heldBack,
  contentHashes,
  certificates,
  timestamps,
  membershipSteps,
  snapshots,
  oneVote,
  noRegress,
  oneCenter,
  election,
  upToDate,
  provenLiars,
  durability,
  anchors,
];

/** Hands what can be seen to every checker, and keeps what they find. */
export interface Judge {
  readonly violations: readonly Violation[];
  /** Final blocks: the first that was confirmed at each height. */
  readonly chain: ReadonlyMap<number, BlockFact>;
  report(checker: string, message: string): void;
  register(submission: {
    readonly hash: string;
    readonly department: string;
    readonly seq: number;
    readonly oids: readonly string[];
  }): void;
  sent(member: string, message: Message): void;
  synced(member: string, steps: readonly PersistStep[]): void;
  replaced(member: string, steps: readonly PersistStep[]): void;
  sealed(member: string, blocks: readonly SealedBlock[]): void;
  applied(member: string, ready: Ready): void;
  receiptTaken(member: string, receipt: SubmissionReceipt): void;
  anchor(anchor: AnchorFact): void;
  anchorRefused(center: string, height: number, reason: string): void;
}

export interface JudgeOptions {
  readonly first: MembershipFact;
  readonly reader: BlockReader;
  readonly nowMs: () => number;
  /** Members that do not follow the protocol: nothing they say is judged. */
  readonly dishonest: ReadonlySet<string>;
  /** No center lies in this world. */
  readonly honestWorld: boolean;
  /** Departments are in league with lying centers, or forget what they promised. */
  readonly hasColluders: boolean;
  readonly inclusionBlocks: number;
}

export function createJudge({
  first,
  reader,
  nowMs,
  dishonest,
  honestWorld,
  hasColluders,
  inclusionBlocks,
}: JudgeOptions): Judge {
  const violations: Violation[] = [];
  const chain = new Map<number, BlockFact>();
  const signed = new Map<string, { department: string; seq: number; oids: readonly string[] }>();
  const report = (checker: string, message: string): void => {
    // One of a kind is enough: what follows from it would only repeat it.
    if (!violations.some((before) => before.checker === checker)) violations.push({ checker, atMs: nowMs(), message });
  };
  const checkers: Checker[] = RULES.map((rule) => {
    let name = '';
    const checker = rule({
      report: (message) => report(name, message),
      first,
      isHonest: (member) => !dishonest.has(member),
      honestWorld,
      hasColluders,
      signedBy: (hash) => signed.get(hash),
      verdictOf,
      inclusionBlocks,
      chain,
    });
    name = checker.name;
    return checker;
  });
  const confirmed = (member: string, block: SealedBlock): void => {
    const fact = reader.read(block);
    if (!chain.has(fact.height)) chain.set(fact.height, fact);
    for (const checker of checkers) checker.confirmed?.(member, fact);
  };
  return {
    violations,
    chain,
    report,
    register: ({ hash, department, seq, oids }) => void signed.set(hash, { department, seq, oids }),
    sent(member, message) {
      if (dishonest.has(member)) return;
      for (const checker of checkers) checker.sent?.(member, message);
    },
    synced(member, steps) {
      if (dishonest.has(member)) return;
      for (const checker of checkers) checker.synced?.(member, steps);
    },
    replaced(member, steps) {
      if (dishonest.has(member)) return;
      for (const checker of checkers) checker.replaced?.(member, steps);
    },
    sealed(member, blocks) {
      if (dishonest.has(member)) return;
      for (const block of blocks) {
        const fact = reader.read(block);
        for (const checker of checkers) checker.sealed?.(member, fact);
      }
    },
    applied(member, ready) {
      if (dishonest.has(member)) return;
      if (ready.snapshot !== null) for (const checker of checkers) checker.snapshot?.(member, ready.snapshot);
      for (const block of ready.confirmed) confirmed(member, block);
      for (const receipt of ready.receipts) receipted(member, receipt);
      for (const alert of ready.alerts) {
        for (const checker of checkers) {
          if (alert.type === 'anchor-mismatch') checker.mismatch?.(member, alert.height);
          else if (alert.type === 'equivocation') checker.proven?.(member, alert.evidence.center);
        }
      }
    },
    receiptTaken(member, receipt) {
      if (dishonest.has(member)) return;
      for (const checker of checkers) checker.receiptTaken?.(member, receipt);
    },
    anchorRefused(center, height, reason) {
      if (dishonest.has(center)) return;
      for (const checker of checkers) checker.anchorRefused?.(center, height, reason);
    },
    anchor(anchor) {
      for (const checker of checkers) checker.anchor?.(anchor);
    },
  };

  function receipted(member: string, receipt: SubmissionReceipt): void {
    for (const checker of checkers) checker.receipt?.(member, receipt);
  }
}
