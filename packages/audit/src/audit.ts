import { isWaymarkError } from '@waymark/protocol';
import { type Audit, duplicateOid, type RecordEntry, type Submission } from '@waymark/rsl';
import type { RecordFacts, Standing } from './facts/facts.ts';
import { firstReason } from './facts/gather.ts';
import { type FactSources, factsOfSubmission, type SubmissionFacts } from './facts/record-facts.ts';
import type { FactStore } from './facts/store.ts';
import { codeForm, type Rule } from './rule.ts';

/** A record that reaches the audit and cannot be looked at any more. */
export const notAudited = 'not-audited';

/** What an audit is made of. */
export interface AuditParts extends FactSources {
  readonly rules: readonly Rule[];
  /** Filled by `gatherFacts` before a submission is proposed. */
  readonly facts: FactStore;
  /** How far this member's clock and register may be from the center's. */
  readonly toleranceMs: number;
  /** Whether an applied block holds this oid, accepted. */
  readonly isRecorded: (oid: string) => boolean;
}

/**
 * The audit of one member, for the core: synchronous, out of what is known. As center it gives the verdicts that were come to when the submission was taken in;
 * as department it checks what it can check, and follows its center in the rest (D5, D6).
 */
export function createAudit(parts: AuditParts): Audit {
  const { rules, facts, toleranceMs, isRecorded } = parts;
  const view = createView(parts);
  const checkable = rules.filter(({ checkedBy }) => checkedBy !== 'center');
  const owners = new Map(rules.flatMap((rule) => rule.codes.map((code) => [code, rule] as const)));
  return {
    isRecorded,
    record(submission, entry, { nowMs }) {
      const found = facts.get(submission.hash);
      if (found !== undefined) return found.verdicts.get(entry.oid) ?? null;
      // It was looked at when it was receipted, before this center was started anew: what can be seen without its envelope is seen again.
      const record = view(submission, entry, nowMs);
      return record === null ? notAudited : firstReason(checkable, record, { nowMs, toleranceMs: 1 });
    },
    followsRejection(submission, entry, reason, { nowMs }) {
      // Whether an oid came before, the core has answered by itself: here it did not.
      if (!codeForm.test(reason) || reason === duplicateOid) return false;
      const record = view(submission, entry, nowMs);
      if (record === null || !record.isLeafIntact) return false;
      const couldHold = owners.get(reason)?.couldHold?.(record, reason, { nowMs, toleranceMs });
      return couldHold ?? true;
    },
    followsAcceptance(submission, entry, { nowMs }) {
      const record = view(submission, entry, nowMs);
      return (
        record !== null && firstReason(checkable, record, { nowMs, toleranceMs: Math.max(1, toleranceMs) }) === null
      );
    },
  };
}

type View = (submission: Submission, entry: RecordEntry, nowMs: number) => RecordFacts | null;

/** What this member sees of a record; null when the submission's attachment is none. */
function createView(sources: FactSources & Pick<AuditParts, 'facts'>): View {
  const known = new WeakMap<Submission, SubmissionFacts | null>();
  let last: { readonly submission: Submission; readonly nowMs: number; readonly standing: Standing } | undefined;
  return (submission, entry, nowMs) => {
    let facts = known.get(submission);
    if (facts === undefined) {
      facts = unlessMalformed(() => factsOfSubmission(submission, sources));
      known.set(submission, facts);
    }
    const index = facts?.indexOf(entry);
    if (facts === null || index === undefined) return null;
    if (last?.submission !== submission || last.nowMs !== nowMs) {
      last = { submission, nowMs, standing: sources.standingOf(facts.statement, submission) };
    }
    return facts.of(index, entry, last.standing, sources.facts.get(submission.hash)?.findings.get(entry.oid));
  };
}

function unlessMalformed<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (isWaymarkError(error, 'input-invalid') || isWaymarkError(error, 'limit-exceeded')) return null;
    throw error;
  }
}
