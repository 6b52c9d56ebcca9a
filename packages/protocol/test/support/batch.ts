import { randomBytes } from 'node:crypto';
import {
  batchHash,
  batchRoot,
  type BatchLeaf,
  type BatchStatement,
  cidOfRaw,
  encodeBatchBlock,
  encodeBatchStatement,
  type Evidence,
  evidenceOf,
  ledgerName,
  sha256,
  signCose,
  zeroBatchHash,
} from '../../src/index.ts';
import { createTestSigner, type TestSigner } from './signer.ts';

export const testChannel = 'trade';

/** A leaf over random content. */
export function randomLeaf(): BatchLeaf {
  return { recordOid: randomBytes(32), cid: cidOfRaw(randomBytes(64)) };
}

/** A statement over these leaves by this signer, with `change` on top. */
export function statementOf(
  signer: TestSigner,
  leaves: readonly BatchLeaf[],
  change: Partial<BatchStatement> = {},
): BatchStatement {
  return {
    channel: testChannel,
    msp: 'SwiftMSP',
    outlet: 'outlet-1',
    certificateDigest: sha256(signer.certificateDer),
    ledger: ledgerName('SwiftMSP', testChannel),
    leaderKid: 'transport-1',
    seq: 1,
    prevBatchHash: zeroBatchHash,
    root: batchRoot(leaves),
    count: leaves.length,
    collectedFromMs: Date.UTC(2026, 10, 20),
    collectedToMs: Date.UTC(2026, 10, 21),
    sentAtMs: Date.UTC(2026, 10, 21, 1),
    messageId: randomBytes(16),
    ...change,
  };
}

/** A batch as an outlet makes it, and the evidence of it that the chain would keep. */
export interface TestBatch {
  readonly signer: TestSigner;
  readonly leaves: readonly BatchLeaf[];
  readonly statement: BatchStatement;
  readonly bytes: Uint8Array;
  readonly evidence: Evidence;
}

/** Makes a batch; each part can be replaced by another. */
export function createBatch(
  options: {
    readonly leaves?: readonly BatchLeaf[];
    /** Leaves in the block, when they are to differ from those that are signed. */
    readonly storedLeaves?: readonly BatchLeaf[];
    readonly statement?: Partial<BatchStatement>;
    /** Who signs, when it is to be somebody else than the statement says. */
    readonly signedBy?: TestSigner;
    readonly signedType?: string;
    readonly signedChannel?: string;
  } = {},
): TestBatch {
  const signer = createTestSigner();
  const leaves = options.leaves ?? [randomLeaf(), randomLeaf(), randomLeaf()];
  const statement = statementOf(signer, leaves, options.statement);
  const statementBytes = encodeBatchStatement(statement);
  const context = { type: options.signedType ?? 'batch', channel: options.signedChannel ?? testChannel };
  const signature = signCose(options.signedBy ?? signer, context, statementBytes, true);
  const { cid, bytes } = encodeBatchBlock({
    statement: statementBytes,
    signature,
    leaves: options.storedLeaves ?? leaves,
  });
  const evidence = evidenceOf(statement, statementBytes, cid.toString(), 'center-1');
  expect(evidence.batchHash).toBe(Buffer.from(batchHash(statementBytes)).toString('hex'));
  return { signer, leaves, statement, bytes, evidence };
}
