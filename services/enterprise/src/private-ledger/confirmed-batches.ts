import {
  type BatchLeaf,
  batchHash,
  decodeBatchStatement,
  decodeCid,
  encodeBatchBlock,
  evidenceOf,
} from '@waymark/protocol';
import { attachmentOf } from '@waymark/ledger-member';
import type { AuditedSubmission, SealedBlock } from '@waymark/rsl';
import type { ConfirmedBatch } from '../journal/journal.ts';

/**
 * The batches of a confirmed block as the journal takes them. Every center of the firm gets the same from the same block, whoever accepted the batches.
 * @throws WaymarkError input-invalid: the block holds something that is no batch, which no quorum of honest members confirms
 */
export function confirmedBatches({ candidate, seal }: SealedBlock): readonly ConfirmedBatch[] {
  const { content } = candidate;
  if (content.kind !== 'records') return [];
  const known = batchesOf.get(seal);
  if (known !== undefined) return known;
  const batches = content.audited.map((audited) => ({
    ...batchOf(audited, seal.center),
    acceptedAtMs: seal.header.timestampMs,
    place: { height: candidate.height, blockHash: seal.hash, rejected: audited.rejected },
  }));
  const [oldest] = batchesOf.keys();
  if (batchesOf.size >= rememberedBlocks && oldest !== undefined) batchesOf.delete(oldest);
  batchesOf.set(seal, batches);
  return batches;
}

/** The journal and the content store ask for the same blocks, one after the other. */
const rememberedBlocks = 16;
const batchesOf = new Map<SealedBlock['seal'], readonly ConfirmedBatch[]>();

function batchOf({ submission }: AuditedSubmission, center: string): Omit<ConfirmedBatch, 'place' | 'acceptedAtMs'> {
  const { statement, cids, tags, tokens, keys } = attachmentOf(submission);
  const signed = decodeBatchStatement(statement);
  const leaves = submission.records.map(({ oid }, index): BatchLeaf => ({
    recordOid: Buffer.from(oid, 'hex'),
    cid: decodeCid(cids[index] ?? new Uint8Array(0)),
  }));
  const signature = Buffer.from(submission.signature, 'base64url');
  const cid = encodeBatchBlock({ statement, signature, leaves }).cid.toString();
  return {
    outlet: signed.outlet,
    seq: signed.seq,
    batchHash: batchHash(statement),
    cid,
    evidence: evidenceOf(signed, statement, cid, center),
    messageId: signed.messageId,
    records: leaves.map(({ recordOid, cid: envelope }, index) => ({
      oid: recordOid,
      contentTag: tags[index] ?? new Uint8Array(0),
      cid: envelope.bytes,
      tokens: tokens[index] ?? [],
    })),
    consignmentKeys: keys,
  };
}
