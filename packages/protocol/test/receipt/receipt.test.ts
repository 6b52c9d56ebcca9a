import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  cidOfDagCbor,
  cidOfRaw,
  type CborValue,
  encodeCbor,
  readReceipt,
  type Receipt,
  signCose,
  signReceipt,
} from '../../src/index.ts';
import { codeOf, flipped, refusal } from '../support/refusal.ts';
import { createTestSigner } from '../support/signer.ts';

const center = createTestSigner('center-1');
const accepted: Receipt = {
  state: 'accepted',
  channel: 'trade',
  msp: 'SwiftMSP',
  outlet: 'outlet-1',
  seq: 7,
  batchHash: new Uint8Array(32).fill(1),
  batchCid: cidOfDagCbor(Uint8Array.of(1)).toString(),
  root: new Uint8Array(32).fill(2),
  count: 3,
  messageId: new Uint8Array(16).fill(3),
  acceptedAtMs: Date.UTC(2026, 10, 21),
};
const anchored: Receipt = { ...accepted, state: 'anchored', txId: 'ab'.repeat(32) };
const block = { height: 12, blockHash: cidOfDagCbor(Uint8Array.of(2)).toString() };
const confirmed: Receipt = { ...accepted, state: 'confirmed', ...block };
const anchoredInBlock: Receipt = { ...confirmed, state: 'anchored', txId: 'ab'.repeat(32) };

/** A signed receipt with fields as docs/formats.md lists them, some replaced or left out. */
function receiptWith(change: Readonly<Record<string, CborValue | undefined>>): Uint8Array {
  const { acceptedAtMs, ...rest } = accepted;
  const fields: Readonly<Record<string, CborValue | undefined>> = { v: 1, type: 'receipt', ...rest, acceptedAt: acceptedAtMs, ...change }; // prettier-ignore
  const given = Object.entries(fields).filter((entry): entry is [string, CborValue] => entry[1] !== undefined);
  return signCose(center, { type: 'receipt', channel: 'trade' }, encodeCbor(Object.fromEntries(given)));
}

test('a receipt comes back as it was, with the certificate of who signed it', () => {
  for (const receipt of [accepted, confirmed, anchored, anchoredInBlock]) {
    const read = readReceipt(signReceipt(center, receipt), 'trade');
    expect(read.receipt).toEqual(receipt);
    expect(Buffer.from(read.certificateDer)).toEqual(Buffer.from(center.certificateDer));
  }
  expect(readReceipt(receiptWith({}), 'trade').receipt).toEqual(accepted);
});

test('a flipped bit, another channel and another type are refused', () => {
  const bytes = signReceipt(center, accepted);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
      expect(codeOf(() => readReceipt(flipped(bytes, bit), 'trade'))).not.toBe('accepted');
    }),
    { numRuns: 200 },
  );
  expect(codeOf(() => readReceipt(bytes, 'other'))).toBe('signature-invalid');
  const wrongType = signCose(center, { type: 'batch', channel: 'trade' }, randomBytes(10));
  expect(codeOf(() => readReceipt(wrongType, 'trade'))).toBe('signature-invalid');
});

test.each<[string, Readonly<Record<string, CborValue | undefined>>]>([
  ['v', { v: 2 }],
  ['type', { type: 'batch' }],
  ['channel', { channel: 'other' }],
  ['seq', { seq: 0 }],
  ['batchHash', { batchHash: new Uint8Array(31) }],
  ['root', { root: undefined }],
  ['count', { count: 10_001 }],
  ['messageId', { messageId: 'x' }],
  ['acceptedAt', { acceptedAt: -1 }],
  ['txId', { txId: 'accepted receipts have none' }],
  ['txId', { state: 'anchored' }],
  ['height', { state: 'confirmed' }],
  ['height', { ...confirmed, height: 0 }],
  ['blockHash', { ...confirmed, blockHash: undefined }],
  ['txId', { ...confirmed, txId: 'ab' }],
  ['blockHash', { ...anchored, height: 3 }],
  ['blockHash', { ...anchored, blockHash: block.blockHash }],
  ['height', block],
])('a receipt with another %s is refused: %j', (place, change) => {
  expect(refusal(() => readReceipt(receiptWith(change), 'trade'))).toEqual({ code: 'input-invalid', details: { place } }); // prettier-ignore
});

test('a receipt of an unknown state, or for a CID that is none of a batch, is refused', () => {
  expect(codeOf(() => readReceipt(receiptWith({ state: 'final' }), 'trade'))).toBe('input-invalid');
  expect(codeOf(() => readReceipt(receiptWith({ batchCid: 'x' }), 'trade'))).toBe('input-invalid');
  const raw = cidOfRaw(Uint8Array.of(1)).toString();
  expect(codeOf(() => readReceipt(receiptWith({ batchCid: raw }), 'trade'))).toBe('input-invalid');
  const inRaw = { ...confirmed, blockHash: raw };
  expect(codeOf(() => readReceipt(receiptWith(inRaw), 'trade'))).toBe('input-invalid');
});

test('only an anchored receipt names a transaction', () => {
  expect(codeOf(() => signReceipt(center, { ...accepted, state: 'anchored' }))).toBe('internal');
  expect(codeOf(() => signReceipt(center, { ...accepted, txId: 'ab' }))).toBe('internal');
});

test('a block is named whole, by a confirmed receipt always and by an accepted one never', () => {
  const { height, blockHash } = block;
  for (const wrong of [
    { ...accepted, ...block },
    { ...accepted, state: 'confirmed' as const },
    { ...accepted, state: 'confirmed' as const, height },
    { ...anchored, blockHash },
    { ...confirmed, txId: 'ab' },
  ]) {
    expect(codeOf(() => signReceipt(center, wrong))).toBe('internal');
  }
});
