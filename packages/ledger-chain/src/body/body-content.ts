import { type CborValue, decodeCbor, type DecodedCbor, encodeCbor } from '@waymark/protocol';
import type { AuditedSubmission, Candidate, Configuration, Content, Rejection } from '@waymark/rsl';
import { abnormalBody } from './abnormal.ts';
import {
  packDigest,
  packDigests,
  packHashes,
  packSignature,
  unpackDigest,
  unpackDigests,
  unpackHashes,
  unpackSignature,
} from './columns.ts';

/** What a body tells: the rest of a candidate is in the header and its seal. */
export type BodyContent = Pick<Candidate, 'ledger' | 'content' | 'salt'>;

/** Largest plaintext of a body, in bytes: a block of the most records with the largest attachments that fit a message. */
export const maxPlaintextBytes = 64 * 1024 * 1024;
const maxItems = 2_000_000;

/** The plaintext of a body: deterministic CBOR (docs/formats.md, "Body of a block"). */
export function encodeBodyContent({ content, salt }: BodyContent): Uint8Array {
  return encodeCbor({ v: 1, salt, ...contentValue(content) });
}

function contentValue(content: Content): Record<string, CborValue> {
  switch (content.kind) {
    case 'records':
      return { kind: 'records', audited: content.audited.map(auditedValue) };
    case 'configuration':
      return { kind: 'configuration', configuration: configurationValue(content.configuration) };
    case 'empty':
      return { kind: 'empty' };
  }
}

function auditedValue({ submission, rejected }: AuditedSubmission): CborValue {
  const { department, seq, prev, root, hash, records, attachment, signature } = submission;
  return [
    department,
    seq,
    packDigest(prev),
    packDigest(root),
    packDigest(hash),
    packSignature(signature),
    packDigests(records.map(({ oid }) => oid)),
    packHashes(records.map(({ leaf }) => leaf)),
    attachment,
    rejected.map(({ index, reason }) => [index, reason]),
  ];
}

function configurationValue({ epoch, members, learners, eligible, profile }: Configuration): CborValue {
  return [epoch, members, learners, eligible, profile.center === 'lying' ? profile.colluding : null];
}

/**
 * Reads a plaintext that the key showed to be a member's.
 * @throws WaymarkError data-abnormal
 */
export function decodeBodyContent(ledger: string, plaintext: Uint8Array): BodyContent {
  let value: DecodedCbor;
  try {
    value = decodeCbor(plaintext, { maxBytes: maxPlaintextBytes, maxItems });
  } catch (cause) {
    throw abnormalBody('form', cause);
  }
  if (!(value instanceof Map)) throw abnormalBody('form');
  const map = value as ReadonlyMap<string, DecodedCbor>;
  if (map.get('v') !== 1) throw abnormalBody('version');
  return { ledger, salt: text(map.get('salt')), content: contentFrom(ledger, map) };
}

function contentFrom(ledger: string, map: ReadonlyMap<string, DecodedCbor>): Content {
  const kind = map.get('kind');
  const holds = map.size;
  if (kind === 'empty' && holds === 3) return { kind };
  if (kind === 'configuration' && holds === 4)
    return { kind, configuration: configurationFrom(map.get('configuration')) };
  if (kind === 'records' && holds === 4)
    return { kind, audited: list(map.get('audited')).map((value) => auditedFrom(ledger, value)) };
  throw abnormalBody('kind');
}

function auditedFrom(ledger: string, value: DecodedCbor): AuditedSubmission {
  const [department, seq, prev, root, hash, signature, oids, leaves, attachment, rejected, ...rest] = list(value);
  if (rest.length > 0) throw abnormalBody('submission');
  const names = unpackDigests(oids instanceof Uint8Array ? oids : list(oids).map(text));
  const hashes = unpackHashes(leaves instanceof Uint8Array ? leaves : list(leaves).map(bytes));
  if (names.length !== hashes.length) throw abnormalBody('records');
  return {
    submission: {
      ledger,
      department: text(department),
      seq: integer(seq),
      prev: unpackDigest(textOrBytes(prev)),
      root: unpackDigest(textOrBytes(root)),
      records: names.map((oid, index) => ({ oid, leaf: hashes[index] as Uint8Array })),
      attachment: Uint8Array.from(bytes(attachment)),
      hash: unpackDigest(textOrBytes(hash)),
      signature: unpackSignature(textOrBytes(signature)),
    },
    rejected: list(rejected).map(rejectionFrom),
  };
}

function rejectionFrom(value: DecodedCbor): Rejection {
  const [index, reason, ...rest] = list(value);
  if (rest.length > 0) throw abnormalBody('rejected');
  return { index: integer(index), reason: text(reason) };
}

function configurationFrom(value: DecodedCbor | undefined): Configuration {
  const [epoch, members, learners, eligible, colluding, ...rest] = list(value);
  if (rest.length > 0) throw abnormalBody('configuration');
  return {
    epoch: integer(epoch),
    members: list(members).map(text),
    learners: list(learners).map(text),
    eligible: list(eligible).map(text),
    profile: colluding === null ? { center: 'trusted' } : { center: 'lying', colluding: integer(colluding) },
  };
}

function list(value: DecodedCbor | undefined): readonly DecodedCbor[] {
  if (!Array.isArray(value)) throw abnormalBody('list');
  return value as readonly DecodedCbor[];
}

function text(value: DecodedCbor | undefined): string {
  if (typeof value !== 'string') throw abnormalBody('text');
  return value;
}

function bytes(value: DecodedCbor | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw abnormalBody('bytes');
  return value;
}

function textOrBytes(value: DecodedCbor | undefined): Uint8Array | string {
  return typeof value === 'string' ? value : bytes(value);
}

function integer(value: DecodedCbor | undefined): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw abnormalBody('number');
  return value;
}
