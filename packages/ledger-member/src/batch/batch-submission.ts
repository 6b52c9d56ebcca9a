import { type KeyObject, X509Certificate } from 'node:crypto';
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
  type Sign1,
  toHex,
  verifySign1,
  WaymarkError,
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

const statements = new WeakMap<Submission, BatchStatement>();

/** What the outlet of a submission signed; read once. @throws WaymarkError input-invalid */
function statementOf(submission: Submission): BatchStatement {
  const known = statements.get(submission);
  if (known !== undefined) return known;
  const statement = decodeBatchStatement(attachmentOf(submission).statement);
  statements.set(submission, statement);
  return statement;
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
  const keyOf = rememberedKeys();
  return {
    submissionDigest: (submission) =>
      unlessMalformed(null, () => {
        const statement = statementOf(submission);
        const signed = fieldsOf(statement);
        const isSame =
          signed.ledger === submission.ledger &&
          signed.department === submission.department &&
          signed.seq === submission.seq &&
          signed.prev === submission.prev &&
          signed.root === submission.root &&
          statement.count === submission.records.length;
        return isSame ? toHex(batchHash(attachmentOf(submission).statement)) : null;
      }),
    verifySubmission: (submission) =>
      unlessMalformed(false, () => {
        const { sentAtMs } = statementOf(submission);
        const signature = Buffer.from(submission.signature, 'base64url');
        // One text for one signature, so that nobody makes two bodies of one submission.
        if (signature.toString('base64url') !== submission.signature) return false;
        const message = readSign1(signature);
        if (holderOf(message.certificateDer, sentAtMs) !== submission.department) return false;
        const payload = attachmentOf(submission).statement;
        verifySign1(message, { type: 'batch', channel }, { payload, publicKey: keyOf(message) });
        return true;
      }),
  };
}

const maxRememberedKeys = 1_024;

/** Public keys of certificates that were seen: reading a certificate takes as long as checking a signature. */
function rememberedKeys(): (message: Sign1) => KeyObject {
  const keys = new Map<string, KeyObject>();
  return ({ certificateDigest, certificateDer }) => {
    // `readSign1` has made sure that it is this certificate's.
    const name = toHex(certificateDigest);
    const known = keys.get(name);
    if (known !== undefined) return known;
    const publicKey = publicKeyOf(certificateDer);
    if (keys.size >= maxRememberedKeys) keys.delete(keys.keys().next().value ?? '');
    keys.set(name, publicKey);
    return publicKey;
  };
}

function publicKeyOf(certificateDer: Uint8Array): KeyObject {
  try {
    return new X509Certificate(certificateDer).publicKey;
  } catch (cause) {
    throw new WaymarkError('signature-invalid', 'The certificate of a signature cannot be read.', { cause });
  }
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
