import fc from 'fast-check';
import {
  batchHash,
  decodeBatchStatement,
  encodeBatchStatement,
  encodeCbor,
  ledgerName,
  maxBatchRecords,
  sha256,
  type BatchStatement,
  type CborValue,
} from '../../src/index.ts';
import { codeOf, flipped, refusal } from '../support/refusal.ts';

const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const timeMs = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
const statement: fc.Arbitrary<BatchStatement> = fc.record({
  channel: name,
  msp: name,
  outlet: name,
  certificateDigest: hash,
  ledger: name,
  leaderKid: name,
  seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  prevBatchHash: hash,
  root: hash,
  count: fc.integer({ min: 1, max: maxBatchRecords }),
  collectedFromMs: timeMs,
  collectedToMs: timeMs,
  sentAtMs: fc.integer({ min: 0, max: 253_402_300_799_999 }),
  messageId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});

/** The fields of a statement as docs/formats.md lists them, with some replaced or left out (undefined). */
function fieldsWith(change: Readonly<Record<string, CborValue | undefined>>): Uint8Array {
  const hash32 = new Uint8Array(32);
  const fields: Record<string, CborValue | undefined> = {
    v: 1,
    type: 'batch',
    channel: 'trade',
    msp: 'SwiftMSP',
    outlet: 'outlet-1',
    cert: hash32,
    ledger: 'SwiftMSP/trade',
    leaderKid: 'kid',
    seq: 1,
    prev: hash32,
    root: hash32,
    count: 1,
    collectedFrom: 0,
    collectedTo: 0,
    sentAt: 0,
    messageId: new Uint8Array(16),
    ...change,
  };
  const given = Object.entries(fields).filter((entry): entry is [string, CborValue] => entry[1] !== undefined);
  return encodeCbor(Object.fromEntries(given));
}

test('a statement comes back as it was', () => {
  fc.assert(fc.property(statement, (said) => expect(decodeBatchStatement(encodeBatchStatement(said))).toEqual(said)));
});

test('its bytes are the map that docs/formats.md shows, and its hash is SHA-256 over them', () => {
  const bytes = fieldsWith({});
  expect(encodeBatchStatement(decodeBatchStatement(bytes))).toEqual(bytes);
  expect(batchHash(bytes)).toEqual(sha256(bytes));
  expect(ledgerName('SwiftMSP', 'trade')).toBe('SwiftMSP/trade');
});

test('a flipped bit gives another statement or none', () => {
  fc.assert(
    fc.property(statement, fc.nat(), (said, bit) => {
      const bytes = flipped(encodeBatchStatement(said), bit);
      try {
        expect(decodeBatchStatement(bytes)).not.toEqual(said);
      } catch {
        expect(codeOf(() => decodeBatchStatement(bytes))).toBe('input-invalid');
      }
    }),
    { numRuns: 300 },
  );
});

test.each<[string, Readonly<Record<string, CborValue | undefined>>]>([
  ['v', { v: 2 }],
  ['type', { type: 'receipt' }],
  ['channel', { channel: undefined }],
  ['msp', { msp: 7 }],
  ['outlet', { outlet: 'x'.repeat(257) }],
  ['cert', { cert: new Uint8Array(20) }],
  ['ledger', { ledger: null }],
  ['leaderKid', { leaderKid: Uint8Array.of(1) }],
  ['seq', { seq: 0 }],
  ['prev', { prev: new Uint8Array(0) }],
  ['root', { root: new Uint8Array(33) }],
  ['count', { count: 0 }],
  ['count', { count: maxBatchRecords + 1 }],
  ['collectedFrom', { collectedFrom: -62_135_596_800_001 }],
  ['collectedTo', { collectedTo: 253_402_300_800_000 }],
  ['sentAt', { sentAt: -1 }],
  ['messageId', { messageId: new Uint8Array(15) }],
  ['extra', { extra: 1 }],
])('a statement with another %s is refused: %j', (place, change) => {
  expect(refusal(() => decodeBatchStatement(fieldsWith(change)))).toEqual({
    code: 'input-invalid',
    details: { place },
  });
});

test('a statement above 4 KiB is refused unread', () => {
  expect(codeOf(() => decodeBatchStatement(new Uint8Array(4_097)))).toBe('limit-exceeded');
});
