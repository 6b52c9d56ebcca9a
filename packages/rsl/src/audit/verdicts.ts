import type { AuditedSubmission, Rejection } from '../block/candidate.ts';
import type { Submission } from '../block/submission.ts';
import { type Audit, type AuditContext, duplicateOid } from './audit.ts';

/** The center's audit of one submission (D5): a verdict on each record. `oids` are those accepted before in the same block; it grows. */
export function auditSubmission(
  audit: Audit,
  submission: Submission,
  oids: Set<string>,
  isRecent: (oid: string) => boolean,
  context: AuditContext,
  acceptsDuplicates: boolean,
): AuditedSubmission {
  const rejected: Rejection[] = [];
  for (let index = 0; index < submission.records.length; index += 1) {
    const entry = submission.records[index] as Submission['records'][number];
    const isKnown = !acceptsDuplicates && (oids.has(entry.oid) || isRecent(entry.oid) || audit.isRecorded(entry.oid));
    const reason = isKnown ? duplicateOid : audit.record(submission, entry, context);
    if (reason === null) oids.add(entry.oid);
    else rejected.push({ index, reason });
  }
  return { submission, rejected };
}
