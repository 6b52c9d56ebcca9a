import {
  batchLeafHash,
  decodeCid,
  decodeLedgerAttachment,
  inclusionProofs,
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

/** The parts of its records' proofs that a block holds. Its trees are hashed once, whichever of its records are asked for. */
export type BlockProofs = (place: { readonly item: number; readonly index: number }) => Omit<RecordProof, 'standing'>;

export function proofsInBlock(content: Content, header: Header): BlockProofs {
  const audited = content.kind === 'records' ? content.audited : [];
  const pathInBlock = pathsWithSides(audited.map((item) => leafHash(statementBytes(auditedStatement(item)))));
  const bytes = headerBytes(header);
  const batches = new Map<number, ReturnType<typeof proofsInBatch>>();
  return ({ item, index }) => {
    const own = audited[item];
    if (own?.submission.records[index] === undefined)
      throw abnormalProof('the index names a place that the block lacks');
    const inBatch = batches.get(item) ?? proofsInBatch(own);
    batches.set(item, inBatch);
    return { ...inBatch(index), blockPath: pathInBlock(item), header: bytes };
  };
}

function proofsInBatch(own: AuditedSubmission) {
  const { submission, rejected } = own;
  const attachment = attachmentOf(own);
  const leaves = submission.records.map(({ oid }, index) => ({
    recordOid: Buffer.from(oid, 'hex'),
    cid: decodeCid(attachment.cids[index] as Uint8Array),
  }));
  const pathInBatch = inclusionProofs(leaves.map(batchLeafHash));
  const signature = Buffer.from(submission.signature, 'base64url');
  return (index: number) => {
    const { recordOid, cid } = leaves[index] as (typeof leaves)[number];
    const { statement } = attachment;
    return { oid: recordOid, cid: cid.bytes, statement, signature, index, batchPath: pathInBatch(index), rejected };
  };
}

/** The places of headers under the root of an anchor over these blocks, by height. */
export type AnchorProofs = (height: number) => HeaderStanding;

export function proofsInAnchor(
  ledger: string,
  range: { readonly first: number; readonly last: number },
  hashes: readonly string[],
): AnchorProofs {
  const { first, last } = range;
  const paths = inclusionProofs(
    hashes.map((hash, index) => leafHash(statementBytes(anchorLeafStatement(ledger, first + index, hash)))),
  );
  return (height) => ({ kind: 'anchor', first, last, path: paths(height - first) });
}

function attachmentOf({ submission }: AuditedSubmission) {
  try {
    return decodeLedgerAttachment(submission.attachment, submission.records.length);
  } catch (cause) {
    throw new WaymarkError('unsupported', 'The submission is no batch of an outlet.', { cause });
  }
}

/** Inclusion proofs that say of each step on which side the sibling stands, so that the size of the tree need not be known. */
function pathsWithSides(leaves: readonly Uint8Array[]): (index: number) => PathStep[] {
  const paths = inclusionProofs(leaves);
  return (index) => {
    const hashes = paths(index);
    const steps: PathStep[] = [];
    let at = index;
    for (let width = leaves.length; width > 1; width = Math.ceil(width / 2)) {
      const hasSibling = (at ^ 1) < width;
      if (hasSibling) steps.push({ isLeft: at % 2 === 1, hash: hashes[steps.length] as Uint8Array });
      at >>= 1;
    }
    return steps;
  };
}
