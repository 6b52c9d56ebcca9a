import { type CborValue, decodeCbor, type DecodedCbor, encodeCbor, WaymarkError } from '@waymark/protocol';
import type { AuditedSubmission, Candidate, Content, PersistStep, RecordEntry, Submission } from '@waymark/rsl';

const leafSizeBytes = 32;
const maxItems = 4_000_000;

const stepTypes: Readonly<Record<PersistStep['type'], true>> = {
  'hard-state': true,
  candidate: true,
  ack: true,
  seal: true,
  truncate: true,
  submission: true,
  confirmed: true,
  evidence: true,
  snapshot: true,
  compact: true,
};

/** Plain data as decoded: maps are objects again. */
type Plain =
  string | number | bigint | boolean | null | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain };

/**
 * A step as deterministic CBOR of its own fields. A submission's records are two columns, `oids` and `leaves`, in place of a map each.
 * @throws WaymarkError input-invalid when the step is no plain data
 */
export function encodeStep(step: PersistStep): Uint8Array {
  // Steps are plain data by contract (packages/rsl/src/ready.ts); interfaces have no index signature, so the compiler cannot see it.
  return encodeCbor(packStep(step) as CborValue);
}

/**
 * Reads a step whose octets were found to be those that were written.
 * @throws WaymarkError unsupported when a later version wrote it; data-abnormal
 */
export function decodeStep(bytes: Uint8Array): PersistStep {
  const value = plain(decodeCbor(bytes, { maxBytes: bytes.length, maxItems }));
  if (!isObject(value) || typeof value['type'] !== 'string')
    throw new WaymarkError('data-abnormal', 'A record of the ledger log holds no step.');
  if (!Object.hasOwn(stepTypes, value['type'])) {
    throw new WaymarkError('unsupported', 'The ledger log holds a step of a kind that this version does not know.', {
      details: { type: value['type'] },
    });
  }
  return unpackStep(value as unknown as PersistStep);
}

function packStep(step: PersistStep): unknown {
  if (step.type === 'submission') return { ...step, submission: packSubmission(step.submission) };
  if (step.type !== 'candidate') return step;
  return { ...step, candidate: withSubmissions(step.candidate, packSubmission) };
}

function unpackStep(step: PersistStep): PersistStep {
  if (step.type === 'submission') return { ...step, submission: unpackSubmission(step.submission) };
  if (step.type !== 'candidate') return step;
  return { ...step, candidate: withSubmissions(step.candidate, unpackSubmission) };
}

function withSubmissions(candidate: Candidate, change: (submission: Submission) => Submission): Candidate {
  const { content } = candidate;
  if (content.kind !== 'records') return candidate;
  const audited: AuditedSubmission[] = content.audited.map((each) => ({
    ...each,
    submission: change(each.submission),
  }));
  const changed: Content = { ...content, audited };
  return { ...candidate, content: changed };
}

interface Columns {
  readonly oids: readonly string[];
  readonly leaves: Uint8Array;
}

function packSubmission(submission: Submission): Submission {
  const { records } = submission;
  // What has not the usual form is kept as it is.
  if (!records.every((record) => record.leaf.length === leafSizeBytes && Object.keys(record).length === 2))
    return submission;
  const leaves = Buffer.allocUnsafe(records.length * leafSizeBytes);
  for (const [index, { leaf }] of records.entries()) leaves.set(leaf, index * leafSizeBytes);
  const columns: Columns = { oids: records.map(({ oid }) => oid), leaves };
  return { ...submission, records: columns as unknown as readonly RecordEntry[] };
}

function unpackSubmission(submission: Submission): Submission {
  const packed = submission.records as readonly RecordEntry[] | Columns;
  if (Array.isArray(packed)) return submission;
  const { oids, leaves: stored } = packed as Columns;
  // A copy, so that 32 octets do not keep a whole segment in memory.
  const leaves = Uint8Array.from(stored);
  const records = oids.map((oid, index) => ({
    oid,
    leaf: leaves.subarray(index * leafSizeBytes, (index + 1) * leafSizeBytes),
  }));
  return { ...submission, records };
}

function plain(value: DecodedCbor): Plain {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, entry]) => [String(key), plain(entry as DecodedCbor)]));
  }
  if (Array.isArray(value)) return (value as readonly DecodedCbor[]).map(plain);
  throw new WaymarkError('data-abnormal', 'A record of the ledger log holds a tag.');
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
