import type { KeyObject } from 'node:crypto';
import {
  WaymarkError,
  decodeFields,
  encodeCbor,
  encryptCose,
  externalAad,
  maxBatchRecords,
  readEncrypt,
  type DecodedCbor,
} from '@waymark/protocol';
import { maxEnvelopeBytes } from '../envelope/consignment-cipher.ts';

/** One record of a submission. */
export interface SubmittedRecord {
  /** 32 bytes. */
  readonly recordOid: Uint8Array;
  readonly envelope: Uint8Array;
  /** Look-up tokens, 32 bytes each. */
  readonly tokens: readonly Uint8Array[];
  /** 32 bytes. */
  readonly contentTag: Uint8Array;
}

/** A consignment key handed to a center that is a recipient of contents. Secret. */
export interface HandedConsignmentKey {
  readonly consignmentOid: Uint8Array;
  readonly epoch: number;
  readonly key: Uint8Array;
}

/** What an outlet submits to its center: a signed batch with its envelopes (docs/formats.md, "Submission"). */
export interface Submission {
  /** Canonical bytes of the batch statement, and the COSE_Sign1 over it. */
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
  readonly records: readonly SubmittedRecord[];
  /** Empty when the center is not a recipient. */
  readonly keys: readonly HandedConsignmentKey[];
}

/** An opened submission and the transport key it was sealed to, which must be the one its statement names. */
export interface OpenedSubmission extends Submission {
  readonly recipientKid: string;
}

/** Most that one submission may hold. */
export const submissionLimits = {
  records: maxBatchRecords,
  tokensPerRecord: 32,
  keys: maxBatchRecords,
  sizeBytes: 32 * 1024 * 1024,
} as const;

const type = 'submission';
const maxStatementBytes = 4_096;
const maxSignatureBytes = 32 * 1024;

/**
 * Seals a submission to a center's transport key: COSE_Encrypt, ECDH-ES + HKDF-256 on P-256 with a fresh ephemeral key, A256GCM.
 * @throws WaymarkError limit-exceeded
 */
export function sealSubmission(
  submission: Submission,
  to: { readonly channel: string; readonly kid: string; readonly publicKey: KeyObject },
): Uint8Array {
  const { records, keys } = submission;
  const plaintext = encodeCbor({
    v: 1,
    statement: submission.statement,
    signature: submission.signature,
    envelopes: records.map(({ envelope }) => envelope),
    oids: records.map(({ recordOid }) => recordOid),
    tokens: records.map(({ tokens }) => tokens),
    tags: records.map(({ contentTag }) => contentTag),
    keys: keys.map(({ consignmentOid, epoch, key }) => [consignmentOid, epoch, key]),
  });
  if (records.length > submissionLimits.records || plaintext.length > submissionLimits.sizeBytes - 1_024) {
    throw new WaymarkError('limit-exceeded', 'The batch is too large for one submission.', {
      details: { records: records.length, sizeBytes: plaintext.length, maxBytes: submissionLimits.sizeBytes },
    });
  }
  return encryptCose({ kid: to.kid, publicKey: to.publicKey }, plaintext, externalAad(type, to.channel));
}

/**
 * Opens a submission. That its statement is signed, names this recipient and belongs to the envelopes is for S4's checks.
 * @param options.keyOf the private half of a transport key, if it is held
 * @throws WaymarkError key-unknown, decryption-failed: other channel or altered; input-invalid: malformed; limit-exceeded
 */
export function openSubmission(
  bytes: Uint8Array,
  options: { readonly channel: string; readonly keyOf: (kid: string) => KeyObject | undefined },
): OpenedSubmission {
  const message = readEncrypt(bytes, submissionLimits.sizeBytes);
  const privateKey = options.keyOf(message.kid);
  if (privateKey === undefined) {
    throw new WaymarkError('key-unknown', 'The submission was sealed to a transport key that is not held.');
  }
  const plaintext = message.open(privateKey, externalAad(type, options.channel));
  return { ...parse(plaintext), recipientKid: message.kid };
}

function malformed(place: string): WaymarkError {
  return new WaymarkError('input-invalid', `The submission does not have the expected form: ${place}.`, {
    details: { place },
  });
}

function fixed(value: DecodedCbor | undefined, place: string, length?: number, maxBytes?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed(place);
  if (length !== undefined && value.length !== length) throw malformed(place);
  if (maxBytes !== undefined && value.length > maxBytes) {
    throw new WaymarkError('limit-exceeded', 'A part of the submission is too long.', { details: { place, maxBytes } });
  }
  return value;
}

function listOf(value: DecodedCbor | undefined, place: string, maxLength: number): readonly DecodedCbor[] {
  if (!Array.isArray(value) || value.length > maxLength) throw malformed(place);
  return value as readonly DecodedCbor[];
}

function parse(plaintext: Uint8Array): Submission {
  const fields = decodeFields(plaintext, 'submission', submissionLimits.sizeBytes);
  fields.constant('v', 1);
  const statement = fixed(fields.bytes('statement'), 'statement', undefined, maxStatementBytes);
  const signature = fixed(fields.bytes('signature'), 'signature', undefined, maxSignatureBytes);
  const envelopes = fields.list('envelopes', submissionLimits.records);
  const oids = fields.list('oids', submissionLimits.records);
  const tokens = fields.list('tokens', submissionLimits.records);
  const tags = fields.list('tags', submissionLimits.records);
  const keys = fields.list('keys', submissionLimits.keys);
  fields.end();
  const count = envelopes.length;
  if (count === 0 || oids.length !== count || tokens.length !== count || tags.length !== count) {
    throw malformed('the lists have different lengths');
  }
  const records = envelopes.map((envelope, index) => ({
    recordOid: fixed(oids[index], `oids/${index}`, 32),
    envelope: fixed(envelope, `envelopes/${index}`, undefined, maxEnvelopeBytes),
    tokens: listOf(tokens[index], `tokens/${index}`, submissionLimits.tokensPerRecord).map((token) =>
      fixed(token, `tokens/${index}`, 32),
    ),
    contentTag: fixed(tags[index], `tags/${index}`, 32),
  }));
  return { statement, signature, records, keys: keys.map((entry, index) => handedKey(entry, `keys/${index}`)) };
}

function handedKey(entry: DecodedCbor, place: string): HandedConsignmentKey {
  const [consignmentOid, epoch, key, ...rest] = listOf(entry, place, 3);
  if (typeof epoch !== 'number' || !Number.isSafeInteger(epoch) || epoch < 0 || rest.length > 0) throw malformed(place);
  return { consignmentOid: fixed(consignmentOid, place, 16), epoch, key: fixed(key, place, 32) };
}
