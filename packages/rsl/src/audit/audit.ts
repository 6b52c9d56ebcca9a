import type { RecordEntry, Submission } from '../block/submission.ts';

/** What an audit may look at besides the submission: time enters as an argument. */
export interface AuditContext {
  /** This member's clock. */
  readonly nowMs: number;
  /** Height of the block that the submission would be in. */
  readonly height: number;
}

/**
 * Audit rules, injected: synchronous and without side effects. What they need to know about the world (rights, schema, times, whether an
 * envelope can be fetched) the driver has found out before it proposes; here the rules only say yes or no (D5, D6).
 */
export interface Audit {
  /** Reason code why a record is not compliant; null when it is. Asked at the center. */
  record(submission: Submission, entry: RecordEntry, context: AuditContext): string | null;
  /** Whether this member can follow a rejection; a reason that it cannot check (content sealed to others) is followed. Asked at departments, for every rejection. */
  followsRejection(submission: Submission, entry: RecordEntry, reason: string, context: AuditContext): boolean;
  /** Whether this member can follow an acceptance. Asked at departments, for every accepted record. */
  followsAcceptance(submission: Submission, entry: RecordEntry, context: AuditContext): boolean;
  /** Whether a confirmed block already holds this oid, accepted. What is not confirmed the core knows itself. */
  isRecorded(oid: string): boolean;
}

/** Reason code of the one rule that the core itself applies: an oid is accepted once. */
export const duplicateOid = 'duplicate-oid';
