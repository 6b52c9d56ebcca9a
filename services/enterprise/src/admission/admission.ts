import {
  batchHash,
  type BatchLeaf,
  type BatchStatement,
  batchRoot,
  bytesEqual,
  cidOfRaw,
  decodeBatchStatement,
  encodeBatchBlock,
  type EncodedBatchBlock,
  evidenceOf,
  type Evidence,
  ledgerName,
  readSign1,
  verifySign1,
  WaymarkError,
} from '@waymark/protocol';
import type { EnvelopeHeader, OpenedSubmission } from '@waymark/vault';
import type { CID } from 'multiformats/cid';
import { type Register, requireRegistered } from '@waymark/service-kit';

/** A batch that passed every check and waits to be stored. */
export interface CheckedBatch {
  readonly statement: BatchStatement;
  readonly batchHash: Uint8Array;
  readonly block: EncodedBatchBlock;
  readonly evidence: Evidence;
  /** In the order of the leaves. */
  readonly envelopes: readonly { readonly cid: CID; readonly bytes: Uint8Array }[];
  /** What the envelopes say of themselves in the clear, in the same order. */
  readonly headers: readonly EnvelopeHeader[];
  readonly leaves: readonly BatchLeaf[];
  readonly submission: OpenedSubmission;
}

/** What the checks need to know. */
export interface AdmissionParts {
  readonly channel: string;
  readonly msp: string;
  /** The center's enrolment id: the `node` of the evidence. */
  readonly center: string;
  readonly register: Register;
  /** @throws WaymarkError certificate-untrusted, certificate-expired, certificate-revoked, role-not-permitted */
  readonly verifyCertificate: (der: Uint8Array, atMs: number) => { enrolmentId: string; digest: Uint8Array };
  /** @throws WaymarkError data-abnormal when it is no envelope */
  readonly readHeader: (envelope: Uint8Array) => EnvelopeHeader;
  readonly nowMs: () => number;
  /** How far `sentAt` may be from now, either way. */
  readonly freshnessMs: number;
  /** How far into the future a collection time may lie. */
  readonly skewMs: number;
  /** Content tag of a record that was accepted before. */
  readonly knownTag: (oid: Uint8Array) => Uint8Array | undefined;
  /** Most bytes of envelopes in one batch. */
  readonly maxBatchBytes: number;
}

/** The last batch of an outlet that was taken. */
export interface Head {
  readonly seq: number;
  readonly batchHash: Uint8Array;
}

/** The checks of S4 on one submission, in the order in which their answers are the most useful. */
export interface Admission {
  /**
   * Reads the statement and checks whom it is for and who sent it, which has to come before a replay is answered. (The transport key
   * comes later: a message may be repeated after its key has ended.)
   * @param sender enrolment id of the outlet at the other end of the TLS connection
   * @throws WaymarkError recipient-mismatch, envelope-mismatch, input-invalid
   */
  identify(submission: OpenedSubmission, sender: string): BatchStatement;
  /**
   * Everything else. Nothing is stored yet.
   * @throws WaymarkError with the code of the first check that fails
   */
  check(submission: OpenedSubmission, statement: BatchStatement, head: Head | undefined): CheckedBatch;
}

/** Builds the checks. */
export function createAdmission(parts: AdmissionParts): Admission {
  return {
    identify(submission, sender) {
      const statement = decodeBatchStatement(submission.statement);
      const { channel, msp, ledger, outlet } = statement;
      if (channel !== parts.channel || ledger !== ledgerName(parts.msp, parts.channel)) {
        throw new WaymarkError('recipient-mismatch', 'The message was made for another center, ledger or channel.');
      }
      if (msp !== parts.msp)
        throw new WaymarkError('recipient-mismatch', 'The message is from an outlet of another organisation.');
      if (outlet !== sender)
        throw new WaymarkError('envelope-mismatch', 'The message was handed in by another outlet than signed it.');
      return statement;
    },

    check(submission, statement, head) {
      if (statement.leaderKid !== submission.recipientKid) {
        throw new WaymarkError('recipient-mismatch', 'The message was made for another transport key.');
      }
      checkSender(parts, submission, statement);
      checkTimes(parts, statement);
      checkSequence(statement, head);
      return checkContents(parts, submission, statement);
    },
  };
}

/** Certificate, then register, then signature: a signature by somebody unknown says nothing. */
function checkSender(parts: AdmissionParts, submission: OpenedSubmission, statement: BatchStatement): void {
  const message = readSign1(submission.signature);
  const certificate = parts.verifyCertificate(message.certificateDer, parts.nowMs());
  if (!bytesEqual(certificate.digest, statement.certificateDigest) || certificate.enrolmentId !== statement.outlet) {
    throw new WaymarkError(
      'envelope-mismatch',
      'The statement names another outlet or certificate than the one that signed it.',
    );
  }
  requireRegistered(
    parts.register,
    { msp: parts.msp, enrolmentId: certificate.enrolmentId, digest: certificate.digest },
    ['outlet', 'department'],
  );
  verifySign1(message, { type: 'batch', channel: parts.channel }, { payload: submission.statement });
}

function checkTimes(parts: AdmissionParts, statement: BatchStatement): void {
  const nowMs = parts.nowMs();
  const ageMs = nowMs - statement.sentAtMs;
  if (Math.abs(ageMs) > parts.freshnessMs) {
    throw new WaymarkError('message-stale', 'The message was sent too long ago, or in the future.', {
      details: { ageMs, freshnessMs: parts.freshnessMs },
    });
  }
  if (statement.collectedFromMs > statement.collectedToMs || statement.collectedToMs > nowMs + parts.skewMs) {
    throw new WaymarkError('input-invalid', 'The collection times are out of order or in the future.', {
      details: { place: 'collectedTo' },
    });
  }
}

function checkSequence(statement: BatchStatement, head: Head | undefined): void {
  const expected = (head?.seq ?? 0) + 1;
  const previous = head?.batchHash ?? new Uint8Array(32);
  if (statement.seq !== expected || !bytesEqual(statement.prevBatchHash, previous)) {
    throw new WaymarkError('sequence-gap', 'The batch does not follow the last one that was accepted.', {
      details: { expected, seq: statement.seq },
    });
  }
}

function checkContents(parts: AdmissionParts, submission: OpenedSubmission, statement: BatchStatement): CheckedBatch {
  const { records } = submission;
  if (records.length !== statement.count) {
    throw new WaymarkError('input-invalid', 'The message has another number of records than its statement.', {
      details: { place: 'count' },
    });
  }
  const sizeBytes = records.reduce((total, { envelope }) => total + envelope.length, 0);
  if (sizeBytes > parts.maxBatchBytes) {
    throw new WaymarkError('limit-exceeded', 'The batch is too large.', {
      details: { sizeBytes, maxBytes: parts.maxBatchBytes },
    });
  }
  const leaves = records.map(({ recordOid, envelope }) => ({ recordOid, cid: cidOfRaw(envelope) }));
  if (!bytesEqual(batchRoot(leaves), statement.root)) {
    throw new WaymarkError('signature-invalid', 'The signature covers other records than the message holds.');
  }
  const seen = new Set<string>();
  const headers = records.map(({ recordOid, envelope }, index) => {
    const header = checkEnvelope(parts, statement, envelope, recordOid, index);
    const name = Buffer.from(recordOid).toString('base64');
    if (seen.has(name)) throw conflict(index);
    seen.add(name);
    if (parts.knownTag(recordOid) !== undefined) throw conflict(index);
    return header;
  });
  const block = encodeBatchBlock({ statement: submission.statement, signature: submission.signature, leaves });
  const hash = batchHash(submission.statement);
  return {
    statement,
    batchHash: hash,
    block,
    evidence: evidenceOf(statement, submission.statement, block.cid.toString(), parts.center),
    envelopes: records.map(({ envelope }, index) => ({ cid: (leaves[index] as BatchLeaf).cid, bytes: envelope })),
    headers,
    leaves,
    submission,
  };
}

/** An oid comes once: an outlet answers a repeated record itself, so here it can only be a mistake or an attack. */
function conflict(index: number): WaymarkError {
  return new WaymarkError('conflict', 'A record of the batch was accepted before.', {
    details: { place: `records/${index}` },
  });
}

function checkEnvelope(
  parts: AdmissionParts,
  statement: BatchStatement,
  envelope: Uint8Array,
  recordOid: Uint8Array,
  index: number,
): EnvelopeHeader {
  const mismatch = (reason: string, cause?: unknown): WaymarkError =>
    new WaymarkError('envelope-mismatch', `An envelope of the batch ${reason}.`, {
      details: { place: `envelopes/${index}` },
      cause,
    });
  let facts: EnvelopeHeader;
  try {
    facts = parts.readHeader(envelope);
  } catch (cause) {
    throw mismatch('does not have the form of one', cause);
  }
  if (facts.channel !== parts.channel || facts.msp !== parts.msp)
    throw mismatch('was sealed for another organisation or channel');
  if (facts.outlet !== statement.outlet) throw mismatch('was sealed by another outlet');
  if (!bytesEqual(facts.recordOid, recordOid)) throw mismatch('holds another record than the batch says');
  if (facts.collectedMs < statement.collectedFromMs || facts.collectedMs > statement.collectedToMs) {
    throw mismatch('was collected at another time than the batch says');
  }
  return facts;
}
