import fc from 'fast-check';
import {
  type BatchStatement,
  cidOfDagCbor,
  cidOfRaw,
  encodeBatchBlock,
  decodeBatchBlock,
  type Evidence,
  verifyBatchBlock,
} from '../../src/index.ts';
import { createBatch, randomLeaf, testChannel } from '../support/batch.ts';
import { codeOf, flipped, refusal } from '../support/refusal.ts';
import { createTestSigner } from '../support/signer.ts';

const batch = createBatch();
const verify = (bytes: Uint8Array, evidence: Evidence, channel = testChannel): string =>
  codeOf(() => verifyBatchBlock(bytes, evidence, channel));

test('a batch that agrees with its evidence is proven, and its certificate handed out', () => {
  const { statement, block, certificateDer } = verifyBatchBlock(batch.bytes, batch.evidence, testChannel);
  expect(statement.seq).toBe(1);
  expect(block.leaves.length).toBe(3);
  expect(Buffer.from(certificateDer)).toEqual(Buffer.from(batch.signer.certificateDer));
});

test('a batch of one and a batch of two hundred are proven', () => {
  for (const size of [1, 2, 200]) {
    const { bytes, evidence } = createBatch({ leaves: Array.from({ length: size }, randomLeaf) });
    expect(verify(bytes, evidence)).toBe('accepted');
  }
});

test('a flipped bit anywhere is data-abnormal', () => {
  fc.assert(
    fc.property(fc.nat({ max: batch.bytes.length * 8 - 1 }), (bit) => {
      expect(verify(flipped(batch.bytes, bit), batch.evidence)).toBe('data-abnormal');
    }),
    { numRuns: 200 },
  );
});

test('a flipped bit is noticed even by somebody who lets the CID follow it', () => {
  fc.assert(
    fc.property(fc.nat({ max: batch.bytes.length * 8 - 1 }), (bit) => {
      const bytes = flipped(batch.bytes, bit);
      expect(verify(bytes, { ...batch.evidence, cid: cidOfDagCbor(bytes).toString() })).toBe('data-abnormal');
    }),
    { numRuns: 300 },
  );
});

const hash = 'ab'.repeat(32);
test.each<[string, Partial<Evidence>]>([
  ['msp', { msp: 'OtherMSP' }],
  ['outlet', { outlet: 'outlet-2' }],
  ['seq', { seq: 2 }],
  ['batchHash', { batchHash: hash }],
  ['prev', { prev: hash }],
  ['root', { root: hash }],
  ['count', { count: 4 }],
  ['collectedFrom', { collectedFrom: '2026-11-20T00:00:00.001Z' }],
  ['collectedTo', { collectedTo: '2026-11-20T00:00:00.001Z' }],
  ['certificate', { certificate: hash }],
])('another %s on chain is data-abnormal, and named', (field, change) => {
  const { code, details } = refusal(() => verifyBatchBlock(batch.bytes, { ...batch.evidence, ...change }, testChannel));
  expect(code).toBe('data-abnormal');
  expect(details['reason']).toContain(field);
});

test('another channel is data-abnormal', () => {
  expect(verify(batch.bytes, batch.evidence, 'other')).toBe('data-abnormal');
});

test.each<[string, Partial<Evidence>]>([
  ['another block', { cid: cidOfDagCbor(Uint8Array.of(0xa0)).toString() }],
  ['a raw block', { cid: cidOfRaw(batch.bytes).toString() }],
  ['nothing', { cid: '' }],
])('evidence that names %s is data-abnormal', (_rule, change) => {
  expect(verify(batch.bytes, { ...batch.evidence, ...change })).toBe('data-abnormal');
});

test.each<[string, Parameters<typeof createBatch>[0]]>([
  ['a leaf more than was signed', { storedLeaves: [...batch.leaves, randomLeaf()], leaves: batch.leaves }],
  ['a leaf less than was signed', { storedLeaves: batch.leaves.slice(1), leaves: batch.leaves }],
  ['leaves in another order', { storedLeaves: [...batch.leaves].reverse(), leaves: batch.leaves }],
  ['a leaf replaced', { storedLeaves: [...batch.leaves.slice(1), randomLeaf()], leaves: batch.leaves }],
  ['another root signed', { statement: { root: new Uint8Array(32) } }],
  ['a count that is not that of its leaves', { statement: { count: 2 } }],
  ['another ledger signed', { statement: { ledger: 'OtherMSP/trade' } }],
  ['another channel signed', { statement: { channel: 'other' } }],
  ['the certificate of somebody else named', { statement: { certificateDigest: new Uint8Array(32) } }],
  ['a signature by somebody else', { signedBy: createTestSigner() }],
  ['a signature of another type', { signedType: 'receipt' }],
  ['a signature for another channel', { signedChannel: 'other' }],
])('a batch with %s is data-abnormal although its evidence was made from it', (_rule, options) => {
  const { bytes, evidence } = createBatch(options);
  expect(verify(bytes, evidence)).toBe('data-abnormal');
});

test("another batch's signature under this statement is data-abnormal", () => {
  const other = createBatch();
  const { signature } = decodeBatchBlock(other.bytes);
  const { cid, bytes } = encodeBatchBlock({ ...decodeBatchBlock(batch.bytes), signature });
  expect(verify(bytes, { ...batch.evidence, cid: cid.toString() })).toBe('data-abnormal');
});

test('a block of another type under the CID on chain is data-abnormal', () => {
  const bytes = Uint8Array.of(0xa0);
  expect(verify(bytes, { ...batch.evidence, cid: cidOfDagCbor(bytes).toString() })).toBe('data-abnormal');
});

test('times before 1970 and at the ends of the calendar are proven', () => {
  const change: Partial<BatchStatement> = { collectedFromMs: -62_135_596_800_000, collectedToMs: 253_402_300_799_999 };
  const { bytes, evidence } = createBatch({ statement: change });
  expect([evidence.collectedFrom, evidence.collectedTo]).toEqual(['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']); // prettier-ignore
  expect(verify(bytes, evidence)).toBe('accepted');
});
