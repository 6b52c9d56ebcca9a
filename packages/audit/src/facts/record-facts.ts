import {
  batchLeafHash,
  type BatchLeaf,
  type BatchStatement,
  bytesEqual,
  decodeBatchStatement,
  type LedgerAttachment,
} from '@waymark/protocol';
import type { RecordEntry, Submission } from '@waymark/rsl';
import type { RecordFacts, Standing } from './facts.ts';
import type { Finding } from './store.ts';

/** Where facts come from that need no waiting. */
export interface FactSources {
  /** What is attached to a submission. Asked again and again for the same one. @throws WaymarkError input-invalid */
  readonly attachmentOf: (submission: Submission) => LedgerAttachment;
  /** How the department that signed the statement stands in the register. */
  readonly standingOf: (statement: BatchStatement, submission: Submission) => Standing;
}

/** The facts of a submission's records. */
export interface SubmissionFacts {
  readonly statement: BatchStatement;
  /** The i-th record's CID, 36 bytes. */
  readonly cids: readonly Uint8Array[];
  of(index: number, entry: RecordEntry, standing: Standing, finding?: Finding): RecordFacts;
  /** Where records stand; an oid that comes twice has its first place. */
  indexOf(entry: RecordEntry): number | undefined;
}

const nothing: Finding = { envelope: 'not-looked', content: 'sealed' };

/** @throws WaymarkError input-invalid: the attachment is none */
export function factsOfSubmission(submission: Submission, sources: Pick<FactSources, 'attachmentOf'>): SubmissionFacts {
  const { statement: bytes, cids } = sources.attachmentOf(submission);
  const statement = decodeBatchStatement(bytes);
  let places: Map<RecordEntry, number> | undefined;
  return {
    statement,
    cids,
    of: (index, { oid, leaf }, standing, { envelope, content } = nothing) => ({
      oid,
      statement,
      standing,
      isLeafIntact: isLeafOf(leaf, oid, cids[index]),
      envelope,
      content,
    }),
    indexOf(entry) {
      places ??= new Map(submission.records.map((record, index) => [record, index]));
      return places.get(entry);
    },
  };
}

function isLeafOf(leaf: Uint8Array, oid: string, cid: Uint8Array | undefined): boolean {
  if (cid === undefined) return false;
  // The hash needs the CID's bytes only; the attachment's reader has checked its form.
  const named = { recordOid: Buffer.from(oid, 'hex'), cid: { bytes: cid } as unknown as BatchLeaf['cid'] };
  return bytesEqual(batchLeafHash(named), leaf);
}
