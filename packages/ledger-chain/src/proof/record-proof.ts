import {
  cidBytes,
  type CborValue,
  type DecodedCbor,
  decodeCid,
  decodeFields,
  encodeCbor,
  rawCode,
  WaymarkError,
} from '@waymark/protocol';
import { maxProofSeals, type Seal, sealFrom, sealValue } from '@waymark/rsl';

/** A step up a Merkle tree: the sibling's hash, and whether it stands on the left. */
export interface PathStep {
  readonly isLeft: boolean;
  readonly hash: Uint8Array;
}

/** What shows that a header is in force: its place under an anchor's root, or the seals that confirm it. */
export type HeaderStanding =
  | {
      readonly kind: 'anchor';
      readonly first: number;
      readonly last: number;
      /** RFC 9162 inclusion proof of the header under the anchor's root, lowest sibling first. */
      readonly path: readonly Uint8Array[];
    }
  | { readonly kind: 'seals'; readonly seals: readonly Seal[] };

/**
 * Shows that a record is in a private ledger, with its verdict, to somebody who has no more than the channel or the members' keys (S7, docs/formats.md,
 * "Record proof").
 */
export interface RecordProof {
  /** Opaque id of the record, 32 bytes. */
  readonly oid: Uint8Array;
  /** CID of its envelope, 36 bytes. */
  readonly cid: Uint8Array;
  /** The batch statement as the outlet signed it, and its COSE_Sign1. */
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
  /** Place among the batch's records, from 0, and the audit path to the root in the statement (RFC 9162), lowest sibling first. */
  readonly index: number;
  readonly batchPath: readonly Uint8Array[];
  /** The center's verdict on the batch: records that are not in it were accepted. By index. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
  /** From the audited batch up to the root in the header. */
  readonly blockPath: readonly PathStep[];
  /** Bytes of the header, whose CID is the block hash. */
  readonly header: Uint8Array;
  readonly standing: HeaderStanding;
}

/** Largest proof that is read, in bytes: a batch with all of its 10,000 records rejected, with long reasons, fits. */
export const maxRecordProofBytes = 2 * 1024 * 1024;
/** Steps of a path; trees are far smaller. */
const maxPath = 53;
const maxRejected = 10_000;
const maxReasonLength = 256;
const hashBytes = 32;

/** The bytes of a proof: deterministic CBOR. In JSON they stand as base64url. @throws WaymarkError limit-exceeded */
export function encodeRecordProof(proof: RecordProof): Uint8Array {
  const { standing } = proof;
  const bytes = encodeCbor({
    v: 1,
    type: 'record-proof',
    oid: proof.oid,
    cid: proof.cid,
    statement: proof.statement,
    signature: proof.signature,
    index: proof.index,
    batchPath: [...proof.batchPath],
    rejected: proof.rejected.map(({ index, reason }) => [index, reason]),
    blockPath: proof.blockPath.map(({ isLeft, hash }): CborValue => [isLeft, hash]),
    header: proof.header,
    anchor: standing.kind === 'anchor' ? [standing.first, standing.last, [...standing.path]] : null,
    seals: standing.kind === 'seals' ? standing.seals.map(sealValue) : null,
  });
  if (bytes.length > maxRecordProofBytes)
    throw new WaymarkError('limit-exceeded', 'The record proof is too large.', {
      details: { sizeBytes: bytes.length, maxBytes: maxRecordProofBytes },
    });
  return bytes;
}

/**
 * Reads a proof; anything but the bytes that `encodeRecordProof` writes is refused. Nothing in it is proven yet.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function decodeRecordProof(bytes: Uint8Array): RecordProof {
  const fields = decodeFields(bytes, 'record proof', maxRecordProofBytes);
  fields.constant('v', 1);
  fields.constant('type', 'record-proof');
  const hashes = (values: readonly DecodedCbor[]) => values.map(hashFrom);
  const anchor = fields.any('anchor');
  const seals = fields.any('seals');
  const proof: RecordProof = {
    oid: fields.bytes('oid', hashBytes),
    cid: decodeCid(fields.bytes('cid', cidBytes), [rawCode]).bytes,
    statement: fields.bytes('statement'),
    signature: fields.bytes('signature'),
    index: fields.integer('index'),
    batchPath: hashes(fields.list('batchPath', maxPath)),
    rejected: fields.list('rejected', maxRejected).map((value) => {
      const [index, reason] = itemsOf(value, 2);
      if (typeof index !== 'number' || typeof reason !== 'string' || reason.length > maxReasonLength)
        throw malformed('rejected');
      return { index, reason };
    }),
    blockPath: fields.list('blockPath', maxPath).map((value) => {
      const [isLeft, hash] = itemsOf(value, 2);
      if (typeof isLeft !== 'boolean') throw malformed('blockPath');
      return { isLeft, hash: hashFrom(hash) };
    }),
    header: fields.bytes('header'),
    standing: standingFrom(anchor, seals),
  };
  fields.end();
  return proof;
}

function standingFrom(anchor: DecodedCbor, seals: DecodedCbor): HeaderStanding {
  if (seals === null) {
    const [first, last, path] = itemsOf(anchor, 3);
    if (!isHeight(first) || !isHeight(last) || !Array.isArray(path) || path.length > maxPath) throw malformed('anchor');
    return { kind: 'anchor', first, last, path: (path as readonly DecodedCbor[]).map(hashFrom) };
  }
  if (anchor !== null || !Array.isArray(seals) || seals.length === 0 || seals.length > maxProofSeals)
    throw malformed('seals');
  return { kind: 'seals', seals: (seals as readonly DecodedCbor[]).map(sealFrom) };
}

function isHeight(value: DecodedCbor | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function itemsOf(value: DecodedCbor, length: number): readonly (DecodedCbor | undefined)[] {
  if (!Array.isArray(value) || value.length !== length) throw malformed('list');
  return value as readonly DecodedCbor[];
}

function hashFrom(value: DecodedCbor | undefined): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== hashBytes) throw malformed('hash');
  return value;
}

function malformed(place: string): WaymarkError {
  return new WaymarkError('input-invalid', `record proof: ${place} does not have the expected form.`, {
    details: { place },
  });
}
