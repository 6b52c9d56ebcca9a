import fc from 'fast-check';
import {
  cidOfDagCbor,
  cidOfRaw,
  type CborValue,
  encodeCbor,
  maxPinReceiptBytes,
  type PinReceipt,
  readPinReceipt,
  signCose,
  signPinReceipt,
} from '../../src/index.ts';
import { codeOf, flipped, refusal } from '../support/refusal.ts';
import { createTestSigner } from '../support/signer.ts';

const center = createTestSigner('center-1');
const receipt: PinReceipt = {
  channel: 'trade',
  cid: cidOfDagCbor(Uint8Array.of(1)).toString(),
  msp: 'SwiftMSP',
  node: 'center-1',
  pinnedAtMs: Date.UTC(2026, 10, 21),
};

/** A signed pin receipt with fields as docs/formats.md lists them, some replaced or left out. */
function receiptWith(change: Readonly<Record<string, CborValue | undefined>>, type = 'pin-receipt'): Uint8Array {
  const { pinnedAtMs, ...rest } = receipt;
  const fields: Readonly<Record<string, CborValue | undefined>> = {
    v: 1,
    type: 'pin-receipt',
    ...rest,
    pinnedAt: pinnedAtMs,
    ...change,
  };
  const given = Object.entries(fields).filter((entry): entry is [string, CborValue] => entry[1] !== undefined);
  return signCose(center, { type, channel: 'trade' }, encodeCbor(Object.fromEntries(given)));
}

test('every pin receipt comes back as it was, with the certificate of who signed it', () => {
  const name = fc.string({ minLength: 1, maxLength: 64 });
  const receipts = fc.record({
    channel: name,
    cid: fc.uint8Array({ maxLength: 40 }).map((bytes) => cidOfDagCbor(bytes).toString()),
    msp: name,
    node: name,
    pinnedAtMs: fc.nat({ max: 4_102_444_800_000 }),
  });
  fc.assert(
    fc.property(receipts, (made) => {
      const read = readPinReceipt(signPinReceipt(center, made), made.channel);
      expect(read.receipt).toEqual(made);
      expect(Buffer.from(read.certificateDer)).toEqual(Buffer.from(center.certificateDer));
    }),
    { numRuns: 50 },
  );
  expect(readPinReceipt(receiptWith({}), 'trade').receipt).toEqual(receipt);
});

test('a flipped bit, another channel and a statement of another type are refused', () => {
  const bytes = signPinReceipt(center, receipt);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
      expect(codeOf(() => readPinReceipt(flipped(bytes, bit), 'trade'))).not.toBe('accepted');
    }),
    { numRuns: 200 },
  );
  expect(codeOf(() => readPinReceipt(bytes, 'other'))).toBe('signature-invalid');
  expect(codeOf(() => readPinReceipt(receiptWith({}, 'receipt'), 'trade'))).toBe('signature-invalid');
});

test.each<[string, Readonly<Record<string, CborValue | undefined>>]>([
  ['v', { v: 2 }],
  ['type', { type: 'receipt' }],
  ['channel', { channel: 'other' }],
  ['msp', { msp: undefined }],
  ['node', { node: 7 }],
  ['pinnedAt', { pinnedAt: -1 }],
  ['note', { note: 'unknown' }],
])('a pin receipt with another %s is refused: %j', (place, change) => {
  expect(refusal(() => readPinReceipt(receiptWith(change), 'trade'))).toEqual({
    code: 'input-invalid',
    details: { place },
  });
});

test('a pin receipt for a CID that is none of a batch, and one without end, is refused', () => {
  expect(codeOf(() => readPinReceipt(receiptWith({ cid: 'x' }), 'trade'))).toBe('input-invalid');
  const raw = cidOfRaw(Uint8Array.of(1)).toString();
  expect(codeOf(() => readPinReceipt(receiptWith({ cid: raw }), 'trade'))).toBe('input-invalid');
  expect(codeOf(() => readPinReceipt(new Uint8Array(maxPinReceiptBytes + 1), 'trade'))).toBe('limit-exceeded');
});
