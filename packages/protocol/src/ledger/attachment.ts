import { maxBatchRecords } from '../batch/statement.ts';
import { cidBytes, decodeCid, rawCode } from '../cid/cid.ts';
import { type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { decodeFields } from '../encoding/cbor-fields.ts';
import { WaymarkError } from '../errors.ts';

/** A consignment key, sealed under the local key that a firm's centers share. */
export interface AttachedKey {
  readonly consignmentOid: Uint8Array;
  readonly epoch: number;
  readonly wrapped: Uint8Array;
}

/**
 * What belongs to a batch in a private ledger besides its oids and leaves (docs/formats.md, "Attachment"): what the outlet signed, and what a center needs to
 * answer queries for a predecessor. One item of `cids`, `tags` and `tokens` for each record, in the order of the leaves.
 */
export interface LedgerAttachment {
  /** The batch statement, as signed. */
  readonly statement: Uint8Array;
  /** CIDs of the envelopes, 36 bytes each. */
  readonly cids: readonly Uint8Array[];
  /** Content tags, 32 bytes each. */
  readonly tags: readonly Uint8Array[];
  /** Search tokens, 32 bytes each. */
  readonly tokens: readonly (readonly Uint8Array[])[];
  readonly keys: readonly AttachedKey[];
}

const tagBytes = 32;
const tokenBytes = 32;
const oidBytes = 16;
const maxTokensOfRecord = 64;
/** Of one attachment; a batch of the most records with the most tokens is larger, and does not fit a message either. */
export const maxAttachmentBytes = 8_388_608;

/**
 * Deterministic CBOR: {v: 1, statement, cids, tags, tokens: [bytes, ...], keys: [[consignmentOid, epoch, wrapped], ...]}; equal-sized items stand side by side in
 * one byte string.
 * @throws WaymarkError limit-exceeded
 */
export function encodeLedgerAttachment({ statement, cids, tags, tokens, keys }: LedgerAttachment): Uint8Array {
  const value: CborValue = {
    v: 1,
    statement,
    cids: Buffer.concat(cids),
    tags: Buffer.concat(tags),
    tokens: tokens.map((own) => Buffer.concat(own)),
    keys: keys.map(({ consignmentOid, epoch, wrapped }) => [consignmentOid, epoch, wrapped]),
  };
  const bytes = encodeCbor(value);
  if (bytes.length > maxAttachmentBytes)
    throw new WaymarkError('limit-exceeded', 'A batch is too large for the private ledger.', {
      details: { limit: maxAttachmentBytes, bytes: bytes.length },
    });
  return bytes;
}

/**
 * Reads the attachment of a submission of `count` records.
 * @throws WaymarkError input-invalid
 */
export function decodeLedgerAttachment(bytes: Uint8Array, count: number): LedgerAttachment {
  if (!Number.isSafeInteger(count) || count < 1 || count > maxBatchRecords) throw malformed('count');
  const fields = decodeFields(bytes, 'ledger attachment', maxAttachmentBytes);
  fields.constant('v', 1);
  const statement = fields.bytes('statement');
  const cids = columns(fields.bytes('cids'), cidBytes, count, 'cids');
  for (const cid of cids) decodeCid(cid, [rawCode]);
  const tags = columns(fields.bytes('tags'), tagBytes, count, 'tags');
  const tokens = fields.list('tokens', count).map((own) => {
    if (!(own instanceof Uint8Array) || own.length % tokenBytes !== 0 || own.length > maxTokensOfRecord * tokenBytes)
      throw malformed('tokens');
    return columns(own, tokenBytes, own.length / tokenBytes, 'tokens');
  });
  if (tokens.length !== count) throw malformed('tokens');
  const keys = fields.list('keys', maxBatchRecords).map((entry): AttachedKey => {
    const [consignmentOid, epoch, wrapped, ...rest] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    const isKey =
      consignmentOid instanceof Uint8Array &&
      consignmentOid.length === oidBytes &&
      typeof epoch === 'number' &&
      Number.isSafeInteger(epoch) &&
      epoch >= 0 &&
      wrapped instanceof Uint8Array &&
      wrapped.length <= 1_024 &&
      rest.length === 0;
    if (!isKey) throw malformed('keys');
    return { consignmentOid, epoch, wrapped };
  });
  fields.end();
  return { statement, cids, tags, tokens, keys };
}

function columns(bytes: Uint8Array, size: number, count: number, place: string): Uint8Array[] {
  if (bytes.length !== size * count) throw malformed(place);
  return Array.from({ length: count }, (_none, index) => bytes.subarray(index * size, (index + 1) * size));
}

function malformed(place: string): WaymarkError {
  return new WaymarkError('input-invalid', 'An attachment of the private ledger does not have the required form.', {
    details: { place },
  });
}
