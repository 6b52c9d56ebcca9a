import {
  batchHash,
  batchLeafHash,
  type BatchLeaf,
  type BatchStatement,
  bytesEqual,
  decodeBatchStatement,
  encodeLedgerAttachment,
  isWaymarkError,
  type LedgerAttachment,
  decodeLedgerAttachment,
  readSign1,
  toHex,
  verifySign1,
} from '@waymark/protocol';
import { type Crypto, noSubmission, type Submission } from '@waymark/rsl';

/** A batch as its outlet signed it, with what a center attaches. */
export interface SignedBatch {
  /** Bytes of the batch statement. */
  readonly statement: Uint8Array;
  /** COSE_Sign1 of the outlet over them. */
  readonly signature: Uint8Array;
  readonly leaves: readonly BatchLeaf[];
  readonly attached: Pick<LedgerAttachment, 'tags' | 'tokens' | 'keys'>;
}

const noPrevious = new Uint8Array(32);

/**
 * The submission that a batch is: its number, link, root and signature are those of the batch (docs/formats.md, "Batch").
 * @throws WaymarkError input-invalid (no batch statement), limit-exceeded
 */
export function submissionOfBatch({ statement, signature, leaves, attached }: SignedBatch): Submission {
  const signed = decodeBatchStatement(statement);
  return {
    ...fieldsOf(signed),
    records: leaves.map((leaf) => ({ oid: toHex(leaf.recordOid), leaf: batchLeafHash(leaf) })),
    attachment: encodeLedgerAttachment({ ...attached, statement, cids: leaves.map(({ cid }) => cid.bytes) }),
    hash: toHex(batchHash(statement)),
    signature: Buffer.from(signature).toString('base64url'),
  };
}

const attachments = new WeakMap<Submission, LedgerAttachment>();

/**
 * What is attached to a submission; read once.
 * @throws WaymarkError input-invalid
 */
export function attachmentOf(submission: Submission): LedgerAttachment {
  const known = attachments.get(submission);
  if (known !== undefined) return known;
  const attachment = decodeLedgerAttachment(submission.attachment, submission.records.length);
  attachments.set(submission, attachment);
  return attachment;
}

/** How a member knows what an outlet signed: by the outlet's certificate, which its firm's CA issued. */
export interface BatchSignatures {
  readonly channel: string;
  /** Enrolment id of the holder of a certificate that the firm trusted at a time; revocation is the audit's business. @throws WaymarkError */
  readonly holderOf: (certificateDer: Uint8Array, atMs: number) => string;
}

/** Submissions that are signed batches, for `createCrypto({ submissions })`. */
export function signedBatches({
  channel,
  holderOf,
}: BatchSignatures): Pick<Crypto, 'submissionDigest' | 'verifySubmission'> {
  return {
    submissionDigest: (submission) =>
      unlessMalformed(null, () => {
        const { statement } = attachmentOf(submission);
        const signed = fieldsOf(decodeBatchStatement(statement));
        const isSame =
          signed.ledger === submission.ledger &&
          signed.department === submission.department &&
          signed.seq === submission.seq &&
          signed.prev === submission.prev &&
          signed.root === submission.root &&
          decodeBatchStatement(statement).count === submission.records.length;
        return isSame ? toHex(batchHash(statement)) : null;
      }),
    verifySubmission: (submission) =>
      unlessMalformed(false, () => {
        const { statement } = attachmentOf(submission);
        const signature = Buffer.from(submission.signature, 'base64url');
        // One text for one signature, so that nobody makes two bodies of one submission.
        if (signature.toString('base64url') !== submission.signature) return false;
        const message = readSign1(signature);
        const { sentAtMs } = decodeBatchStatement(statement);
        if (holderOf(message.certificateDer, sentAtMs) !== submission.department) return false;
        verifySign1(message, { type: 'batch', channel }, { payload: statement });
        return true;
      }),
  };
}

function fieldsOf({
  ledger,
  outlet,
  seq,
  prevBatchHash,
  root,
}: BatchStatement): Pick<Submission, 'ledger' | 'department' | 'seq' | 'prev' | 'root'> {
  const prev = bytesEqual(prevBatchHash, noPrevious) ? noSubmission : toHex(prevBatchHash);
  return { ledger, department: outlet, seq, prev, root: toHex(root) };
}

function unlessMalformed<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isWaymarkError(error)) return otherwise;
    throw error;
  }
}
