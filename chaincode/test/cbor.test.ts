import fc from 'fast-check';
import { encodeCbor as encodeReference } from '@waymark/protocol';
import { CborTagged, decodeCbor, encodeCbor, type Cbor } from '../src/cose/cbor.ts';

const key = fc.oneof(fc.integer({ min: -70_000, max: 70_000 }), fc.string({ unit: 'grapheme', maxLength: 30 }));
const { item } = fc.letrec<{ item: Cbor }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.constant(null),
    fc.array(tie('item'), { maxLength: 30 }),
    fc
      .uniqueArray(fc.tuple(key, tie('item')), { selector: ([name]) => name, maxLength: 30 })
      .map((entries) => new Map<Cbor, Cbor>(entries)),
  ),
}));

describe('the CBOR of the chaincode', () => {
  test('writes what the protocol’s encoder writes, and reads it back', () => {
    fc.assert(
      fc.property(item, (value) => {
        const bytes = Buffer.from(encodeCbor(value));
        expect(bytes.equals(Buffer.from(encodeReference(value as Parameters<typeof encodeReference>[0])))).toBe(true);
        expect(Buffer.from(encodeCbor(decodeCbor(bytes))).equals(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  // RFC 8949 appendix A, as far as its values occur here.
  test.each([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['1903e8', 1000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['20', -1],
    ['3903e7', -1000],
    ['f6', null],
    ['40', new Uint8Array()],
    ['4401020304', Uint8Array.of(1, 2, 3, 4)],
    ['60', ''],
    ['6449455446', 'IETF'],
    ['62225c', '"\\'],
    ['62c3bc', 'ü'],
    ['64f0908591', '𐅑'],
    ['80', []],
    ['83010203', [1, 2, 3]],
    ['a0', new Map()],
    [
      'a201020304',
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    ['c1 1a514b67b0'.replace(' ', ''), new CborTagged(1, 1_363_896_240)],
  ] as [string, Cbor][])('%s is %j', (hex, value) => {
    expect(decodeCbor(Buffer.from(hex, 'hex'))).toEqual(value);
    expect(Buffer.from(encodeCbor(value)).toString('hex')).toBe(hex);
  });

  test.each([
    ['nothing', ''],
    ['more than one item', '0000'],
    ['an argument longer than needed', '1817'],
    ['an argument longer than needed in a map key', 'a1180100'],
    ['map keys out of order', 'a203040102'],
    ['equal map keys', 'a201020103'],
    ['a map key that is an array', 'a18000'],
    ['an indefinite length', '9fff'],
    ['a float', 'f93c00'],
    ['true', 'f5'],
    ['undefined', 'f7'],
    ['an integer over 2^53', '1b0020000000000000'],
    ['text that is not UTF-8', '61ff'],
    ['text with half a surrogate pair', '63eda080'],
    ['a byte string cut short', '4401'],
    ['an array cut short', '8201'],
    ['an array of 2^32 items', '9a ffffffff'.replace(' ', '')],
    ['nine levels', '81'.repeat(9) + '00'],
  ])('%s is refused', (_name, hex) => {
    expect(() => decodeCbor(Buffer.from(hex, 'hex'))).toThrow();
  });

  test('any bytes are either read and written back the same, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let value: Cbor;
        try {
          value = decodeCbor(bytes);
        } catch {
          return;
        }
        expect(Buffer.from(encodeCbor(value)).equals(Buffer.from(bytes))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
