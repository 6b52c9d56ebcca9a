import { attachmentOf } from '@waymark/ledger-member';
import { batchLeafHash, bytesEqual, decodeCid, isWaymarkError, rawCode } from '@waymark/protocol';
import type { Audit, RecordEntry, Submission } from '@waymark/rsl';

/** The one rule of this comparison, at the center and again at each department: a leaf is made of the record's oid and CID. */
export const leafAudit: Omit<Audit, 'isRecorded'> = {
  record: (submission, entry) => (isLeafRight(submission, entry) ? null : 'leaf'),
  followsRejection: (submission, entry) => !isLeafRight(submission, entry),
  followsAcceptance: isLeafRight,
};

function isLeafRight(submission: Submission, entry: RecordEntry): boolean {
  const index = places(submission).get(entry);
  try {
    const cid = index === undefined ? undefined : attachmentOf(submission).cids[index];
    if (cid === undefined) return false;
    const leaf = batchLeafHash({ recordOid: Buffer.from(entry.oid, 'hex'), cid: decodeCid(cid, [rawCode]) });
    return bytesEqual(leaf, entry.leaf);
  } catch (error) {
    if (isWaymarkError(error)) return false;
    throw error;
  }
}

let last: { readonly submission: Submission; readonly places: ReadonlyMap<RecordEntry, number> } | undefined;

/** Records are asked about one after the other, a submission at a time. */
function places(submission: Submission): ReadonlyMap<RecordEntry, number> {
  if (last?.submission === submission) return last.places;
  const made = new Map(submission.records.map((entry, index) => [entry, index]));
  last = { submission, places: made };
  return made;
}
