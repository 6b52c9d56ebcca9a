import {
  batchLeafHash,
  decodeCid,
  decodeLedgerAttachment,
  inclusionProof,
  leafHash,
  WaymarkError,
} from '@waymark/protocol';
import {
  anchorLeafStatement,
  type AuditedSubmission,
  auditedStatement,
  type Content,
  headerBytes,
  type Header,
  statementBytes,
} from '@waymark/rsl';
import { abnormalProof } from './abnormal.ts';
import type { HeaderStanding, PathStep, RecordProof } from './record-proof.ts';

/** The parts of a record's proof that its block holds. */
export function proveInBlock(
  content: Content,
  header: Header,
  place: { readonly item: number; readonly index: number },
): Omit<RecordProof, 'standing'> {
  const audited = content.kind === 'records' ? content.audited : [];
  const own = audited[place.item];
  const record = own?.submission.records[place.index];
  if (own === undefined || record === undefined) throw abnormalProof('the index names a place that the block lacks');
  const { submission } = own;
  const oids = submission.records.map(({ oid }) => Buffer.from(oid, 'hex'));
  const attachment = attachmentOf(own);
  const cids = attachment.cids.map((cid) => decodeCid(cid));
  const leaves = cids.map((cid, index) => batchLeafHash({ recordOid: oids[index] as Uint8Array, cid }));
  return {
    oid: oids[place.index] as Uint8Array,
    cid: (cids[place.index] as (typeof cids)[number]).bytes,
    statement: attachment.statement,
    signature: Buffer.from(submission.signature, 'base64url'),
    index: place.index,
    batchPath: inclusionProof(leaves, place.index),
    rejected: own.rejected,
    blockPath: pathWithSides(
      audited.map((item) => leafHash(statementBytes(auditedStatement(item)))),
      place.item,
    ),
    header: headerBytes(header),
  };
}

/** The place of a header under the root of an anchor over these blocks. */
export function proveInAnchor(
  ledger: string,
  range: { readonly first: number; readonly last: number },
  hashes: readonly string[],
  height: number,
): HeaderStanding {
  const { first, last } = range;
  const leaves = hashes.map((hash, index) =>
    leafHash(statementBytes(anchorLeafStatement(ledger, first + index, hash))),
  );
  return { kind: 'anchor', first, last, path: inclusionProof(leaves, height - first) };
}

function attachmentOf({ submission }: AuditedSubmission) {
  try {
    return decodeLedgerAttachment(submission.attachment, submission.records.length);
  } catch (cause) {
    throw new WaymarkError('unsupported', 'The submission is no batch of an outlet.', { cause });
  }
}

/** An inclusion proof that says of each step on which side the sibling stands, so that the size of the tree need not be known. */
function pathWithSides(leaves: readonly Uint8Array[], index: number): PathStep[] {
  const hashes = inclusionProof(leaves, index);
  const steps: PathStep[] = [];
  let at = index;
  for (let width = leaves.length; width > 1; width = Math.ceil(width / 2)) {
    const hasSibling = (at ^ 1) < width;
    if (hasSibling) steps.push({ isLeft: at % 2 === 1, hash: hashes[steps.length] as Uint8Array });
    at >>= 1;
  }
  return steps;
}
