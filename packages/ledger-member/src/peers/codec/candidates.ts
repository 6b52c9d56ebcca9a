import type { AuditedSubmission, Candidate, Content, RecordEntry, Submission } from '@waymark/rsl';
import { toHex } from '@waymark/protocol';
import type * as wire from '@waymark/transport/ledger';
import {
  blockHash,
  codecLimits,
  digestBytes,
  digestFrom,
  digestOrNoneBytes,
  digestOrNoneFrom,
  isHexDigest,
  list,
  name,
  present,
  refuseMessage,
  signatureBytes,
  signatureFrom,
  text,
  whole,
} from './checks.ts';
import { configurationFromWire, configurationToWire } from './configurations.ts';

const columnSizeBytes = 32;

export function candidateToWire(candidate: Candidate): wire.Candidate {
  return {
    ...candidate,
    epoch: whole(candidate.epoch, 'candidate epoch'),
    height: whole(candidate.height, 'candidate height'),
    term: whole(candidate.term, 'candidate term'),
    count: whole(candidate.count, 'candidate count'),
    content: contentToWire(candidate.content),
    root: digestBytes(candidate.root, 'candidate root'),
    signature: signatureBytes(candidate.signature, 'candidate signature'),
  };
}

export function candidateFromWire(candidate: wire.Candidate): Candidate {
  return {
    ledger: name(candidate.ledger, 'candidate ledger'),
    epoch: candidate.epoch,
    height: candidate.height,
    term: candidate.term,
    center: name(candidate.center, 'candidate center'),
    prev: blockHash(candidate.prev, 'candidate prev'),
    content: contentFromWire(present(candidate.content, 'candidate content')),
    salt: text(candidate.salt, 'candidate salt'),
    root: digestFrom(candidate.root, 'candidate root'),
    count: candidate.count,
    signature: signatureFrom(candidate.signature, 'candidate signature'),
  };
}

function contentToWire(content: Content): NonNullable<wire.Candidate['content']> {
  switch (content.kind) {
    case 'records':
      return { $case: 'records', records: { audited: content.audited.map(auditedToWire) } };
    case 'configuration':
      return { $case: 'configuration', configuration: configurationToWire(content.configuration) };
    case 'empty':
      return { $case: 'empty', empty: {} };
  }
}

function contentFromWire(content: NonNullable<wire.Candidate['content']>): Content {
  switch (content.$case) {
    case 'records':
      return {
        kind: 'records',
        audited: list(content.records.audited, codecLimits.maxSubmissions, 'submissions', auditedFromWire),
      };
    case 'configuration':
      return { kind: 'configuration', configuration: configurationFromWire(content.configuration) };
    case 'empty':
      return { kind: 'empty' };
  }
}

function auditedToWire({ submission, rejected }: AuditedSubmission): wire.AuditedSubmission {
  return {
    submission: submissionToWire(submission),
    rejected: rejected.map(({ index, reason }) => ({ index: whole(index, 'rejection index'), reason })),
  };
}

function auditedFromWire({ submission, rejected }: wire.AuditedSubmission): AuditedSubmission {
  return {
    submission: submissionFromWire(present(submission, 'submission')),
    rejected: list(rejected, codecLimits.maxRecords, 'rejections', ({ index, reason }) => ({
      index,
      reason: text(reason, 'rejection reason'),
    })),
  };
}

function submissionToWire(submission: Submission): wire.LedgerSubmission {
  const { records } = submission;
  const leaves = new Uint8Array(records.length * columnSizeBytes);
  const isColumn = records.every(({ oid }) => isHexDigest(oid));
  const oids = Buffer.alloc(isColumn ? leaves.length : 0);
  records.forEach(({ oid, leaf }, index) => {
    if (leaf.length !== columnSizeBytes) refuseMessage('leaf');
    leaves.set(leaf, index * columnSizeBytes);
    if (isColumn) oids.write(oid, index * columnSizeBytes, 'hex');
  });
  return {
    ledger: submission.ledger,
    department: submission.department,
    seq: whole(submission.seq, 'submission seq'),
    prev: digestOrNoneBytes(submission.prev, 'submission prev'),
    root: digestBytes(submission.root, 'submission root'),
    hash: digestBytes(submission.hash, 'submission hash'),
    signature: signatureBytes(submission.signature, 'submission signature'),
    attachment: submission.attachment,
    leaves,
    oids,
    oidTexts: isColumn ? [] : records.map(({ oid }) => oid),
  };
}

function submissionFromWire(submission: wire.LedgerSubmission): Submission {
  return {
    ledger: name(submission.ledger, 'submission ledger'),
    department: name(submission.department, 'submission department'),
    seq: submission.seq,
    prev: digestOrNoneFrom(submission.prev, 'submission prev'),
    root: digestFrom(submission.root, 'submission root'),
    records: recordsFromWire(submission),
    // Of its own, so that it does not keep the whole message in memory.
    attachment: Uint8Array.from(submission.attachment),
    hash: digestFrom(submission.hash, 'submission hash'),
    signature: signatureFrom(submission.signature, 'submission signature'),
  };
}

function recordsFromWire({ leaves, oids, oidTexts }: wire.LedgerSubmission): readonly RecordEntry[] {
  const count = leaves.length / columnSizeBytes;
  if (!Number.isInteger(count) || count > codecLimits.maxRecords) refuseMessage('leaves');
  const isColumn = oidTexts.length === 0;
  if (isColumn ? oids.length !== leaves.length : oids.length > 0 || oidTexts.length !== count) refuseMessage('oids');
  const records: RecordEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const from = index * columnSizeBytes;
    const to = from + columnSizeBytes;
    const oid = isColumn ? toHex(oids.subarray(from, to)) : text(oidTexts[index] ?? '', 'oid');
    records.push({ oid, leaf: Uint8Array.from(leaves.subarray(from, to)) });
  }
  return records;
}
