import {
  type AttachedKey,
  type BatchLeaf,
  batchHash,
  batchLeafHash,
  batchRoot,
  type BatchStatement,
  cidOfRaw,
  decodeLedgerAttachment,
  encodeBatchStatement,
  encodeLedgerAttachment,
  type LedgerAttachment,
  type RecordContent,
  toHex,
} from '@waymark/protocol';
import type { Submission } from '@waymark/rsl';
import type { EnvelopeFacts, RecordFacts, Rule } from '../src/index.ts';

/** When everything in these tests happens. */
export const nowMs = Date.UTC(2026, 1, 3, 12);
const oidOf = (index: number): Uint8Array => Buffer.from(index.toString(16).padStart(64, '0'), 'hex');

export const statementOf = (changes: Partial<BatchStatement> = {}): BatchStatement => ({
  channel: 'shipments',
  msp: 'NorthlineMSP',
  outlet: 'dock-1',
  certificateDigest: new Uint8Array(32).fill(7),
  ledger: 'NorthlineMSP/shipments',
  leaderKid: 'kid',
  seq: 1,
  prevBatchHash: new Uint8Array(32),
  root: new Uint8Array(32),
  count: 1,
  collectedFromMs: nowMs - 60_000,
  collectedToMs: nowMs - 1_000,
  sentAtMs: nowMs - 500,
  messageId: new Uint8Array(16),
  ...changes,
});

export const headerOfRecord = (index: number, changes: Partial<EnvelopeFacts> = {}): EnvelopeFacts => ({
  channel: 'shipments',
  msp: 'NorthlineMSP',
  outlet: 'dock-1',
  recordOid: oidOf(index),
  schema: 'parcel-scan-v1',
  collectedMs: nowMs - 2_000,
  ...changes,
});

/** A batch of `count` records as a submission; leaf and attachment as a center makes them. */
export function submissionOf(
  count: number,
  changes: Partial<BatchStatement> = {},
  attached: { readonly cids?: readonly Uint8Array[]; readonly keys?: readonly AttachedKey[] } = {},
): Submission {
  const leaves: BatchLeaf[] = Array.from({ length: count }, (_none, index) => ({
    recordOid: oidOf(index),
    cid: cidOfRaw(Buffer.from(`envelope ${index}`)),
  }));
  const signed = statementOf({ root: batchRoot(leaves), count, ...changes });
  const statement = encodeBatchStatement(signed);
  const none = leaves.map(() => new Uint8Array(32));
  return {
    ledger: signed.ledger,
    department: signed.outlet,
    seq: signed.seq,
    prev: '',
    root: toHex(signed.root),
    records: leaves.map((leaf) => ({ oid: toHex(leaf.recordOid), leaf: batchLeafHash(leaf) })),
    attachment: encodeLedgerAttachment({
      statement,
      cids: attached.cids ?? leaves.map(({ cid }) => cid.bytes),
      tags: none,
      tokens: leaves.map(() => []),
      keys: attached.keys ?? [],
    }),
    hash: toHex(batchHash(statement)),
    signature: '',
  };
}

const attachments = new WeakMap<Submission, LedgerAttachment>();
/** Reads an attachment once, as the services do. */
export function attachmentOf(submission: Submission): LedgerAttachment {
  const read = attachments.get(submission) ?? decodeLedgerAttachment(submission.attachment, submission.records.length);
  attachments.set(submission, read);
  return read;
}

export const factsOf = (changes: Partial<RecordFacts> = {}): RecordFacts => ({
  oid: toHex(oidOf(0)),
  statement: statementOf(),
  standing: { state: 'in-order' },
  isLeafIntact: true,
  envelope: headerOfRecord(0),
  content: 'sealed',
  ...changes,
});

export const contentOf = (schema: string, payload: RecordContent['payload']): RecordContent => ({
  eventId: 'e-1',
  revision: 0,
  schema,
  businessIds: [],
  payload,
});

/** Facts of a record whose content the center has opened. */
export const openedFacts = (content: RecordContent, collectedMs = nowMs - 2_000): RecordFacts =>
  factsOf({ envelope: headerOfRecord(0, { schema: content.schema, collectedMs }), content });

/** First reason of some rules at the center. */
export function reasonAtCenter(rules: readonly Rule[], facts: RecordFacts, atMs = nowMs): string | null {
  for (const rule of rules) {
    const reason = rule.check(facts, { nowMs: atMs, toleranceMs: 0 });
    if (reason !== null) return reason;
  }
  return null;
}
