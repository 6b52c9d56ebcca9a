import { encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { cborTag, type CborValue, decodeCbor, type DecodedCbor, encodeCbor, isCborTag } from '../../src/index.ts';
import { codeOf, flipped, hex } from '../support/refusal.ts';

/** Values of every kind we use, with keys in any order. */
const leaf: fc.Arbitrary<CborValue> = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array(),
);
const key = fc.oneof(fc.string(), fc.maxSafeInteger());
const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    leaf,
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map((entries) => new Map(entries)),
    fc.tuple(fc.constantFrom(16, 18, 96), tie('value')).map(([tag, inner]) => cborTag(tag, inner)),
  ),
}));

/** The same map with its entries the other way round, at every level. */
function reversed(item: CborValue): CborValue {
  if (item instanceof Map) {
    const entries = [...(item as ReadonlyMap<number | string, CborValue>)].reverse();
    return new Map(entries.map(([name, inner]) => [name, reversed(inner)]));
  }
  if (Array.isArray(item)) return item.map((inner: CborValue) => reversed(inner));
  return item;
}

describe('deterministic CBOR', () => {
  test('what is encoded decodes to the same, and encodes to the same bytes again', () => {
    fc.assert(
      fc.property(value, (item) => {
        const bytes = encodeCbor(item);
        const decoded = decodeCbor(bytes);
        expect(decoded).toEqual(item);
        expect(encodeCbor(decoded)).toEqual(bytes);
      }),
    );
  });

  test('another implementation of RFC 8949 writes the same', () => {
    fc.assert(
      fc.property(value, (item) => {
        expect(Buffer.from(encodeCbor(item)).equals(encode(item, rfc8949EncodeOptions))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([23, 24, 255, 256, 65_535, 65_536, 70_000])('lengths of %i have the shortest head', (length) => {
    const item = ['x'.repeat(length), new Uint8Array(length), Array.from({ length }, () => 0)];
    expect(Buffer.from(encodeCbor(item)).equals(encode(item, rfc8949EncodeOptions))).toBe(true);
    expect(decodeCbor(encodeCbor(item))).toEqual(item);
  });

  test('the order in which keys were put in does not show', () => {
    fc.assert(fc.property(value, (item) => expect(encodeCbor(reversed(item))).toEqual(encodeCbor(item))));
  });

  test('bytes that are accepted are the only bytes of their value', () => {
    fc.assert(
      fc.property(value, fc.nat(), (item, bit) => {
        const bytes = flipped(encodeCbor(item), bit);
        let decoded: DecodedCbor;
        try {
          decoded = decodeCbor(bytes);
        } catch {
          return;
        }
        expect(Buffer.from(encodeCbor(decoded)).equals(bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('random bytes are decoded or refused with a code, never by a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(['accepted', 'input-invalid', 'limit-exceeded']).toContain(codeOf(() => decodeCbor(bytes)));
      }),
      { numRuns: 2_000 },
    );
  });

  // RFC 8949 appendix A.
  test.each<[CborValue, string]>([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [1000, '1903e8'],
    [1_000_000_000_000, '1b000000e8d4a51000'],
    [18446744073709551615n, '1bffffffffffffffff'],
    [-1, '20'],
    [-1000, '3903e7'],
    [-18446744073709551616n, '3bffffffffffffffff'],
    [false, 'f4'],
    [null, 'f6'],
    [hex('01020304'), '4401020304'],
    ['IETF', '6449455446'],
    ['水', '63e6b0b4'],
    [[1, [2, 3], [4, 5]], '8301820203820405'],
    [
      new Map([
        [1, 2],
        [3, 4],
      ]),
      'a201020304',
    ],
    [{ a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }, 'a56161614161626142616361436164614461656145'],
    [{}, 'a0'],
    [[], '80'],
  ])('%j is %s', (item, expected) => {
    expect(Buffer.from(encodeCbor(item)).toString('hex')).toBe(expected);
  });

  test('keys are in the bytewise order of their encodings (RFC 8949 section 4.2.1)', () => {
    const map = new Map<number | string, CborValue>(['aa', 100, 'z', -1, 10].map((name) => [name, 0]));
    expect(Buffer.from(encodeCbor(map)).toString('hex')).toBe(
      'a5 0a00 186400 2000 617a00 62616100'.replaceAll(' ', ''),
    );
  });

  test('tags are kept', () => {
    const decoded = decodeCbor(encodeCbor(cborTag(18, [1])));
    expect(isCborTag(decoded, 18)).toBe(true);
    expect(isCborTag(decoded, 16)).toBe(false);
    expect(isCborTag([1], 18)).toBe(false);
  });
});

function endless(): CborValue {
  const list: CborValue[] = [];
  list.push(list);
  return list;
}

describe('refusals', () => {
  test.each([
    ['nothing', ''],
    ['an integer in more bytes than it needs', '1817'],
    ['an integer of 8 bytes that fits 4', '1b00000000ffffffff'],
    ['a text length in more bytes than it needs', '780161'],
    ['an array length in more bytes than it needs', '9800'],
    ['bytes after the item', '0000'],
    ['an indefinite array', '9f01ff'],
    ['an indefinite map', 'bf6161 01ff'],
    ['an indefinite byte string', '5f4101ff'],
    ['a break without a beginning', 'ff'],
    ['equal keys', 'a2616101616102'],
    ['equal integer keys', 'a201000100'],
    ['keys in another order', 'a2616201616101'],
    ['a key that is a byte string', 'a1410100'],
    ['a key that is a list', 'a18000'],
    ['a key that is null', 'a1f600'],
    ['a key beyond 2^53', 'a11bffffffffffffffff00'],
    ['undefined', 'f7'],
    ['a float', 'fb3ff199999999999a'],
    ['a float that is an integer', 'f93c00'],
    ['an integer beyond 2^53 as a float', 'fb4340000000000000'],
    ['NaN', 'f97e00'],
    ['infinity', 'f97c00'],
    ['a simple value', 'f0'],
    ['an unknown tag', 'c000'],
    ['a big number', 'c249010000000000000000'],
    ['text that is not UTF-8', '61ff'],
    ['text with a surrogate', '63eda080'],
    ['an end in the middle of a text', '6261'],
    ['an end in the middle of a list', '8201'],
    ['a reserved head', '1c'],
    ['a list that claims 2^64 parts', '9bffffffffffffffff'],
  ])('%s', (_rule, bytes) => {
    expect(codeOf(() => decodeCbor(hex(bytes)))).toBe('input-invalid');
  });

  test('a nest of 17 lists, and one of a hundred thousand, before anything recurses', () => {
    const nest = (depth: number): Uint8Array => new Uint8Array([...new Uint8Array(depth - 1).fill(0x81), 0x80]);
    expect(codeOf(() => decodeCbor(nest(16)))).toBe('accepted');
    expect(codeOf(() => decodeCbor(nest(17)))).toBe('limit-exceeded');
    expect(codeOf(() => decodeCbor(nest(100_000)))).toBe('limit-exceeded');
    expect(codeOf(() => decodeCbor(new Uint8Array(100_000).fill(0xd2)))).toBe('limit-exceeded');
  });

  test('more bytes or parts than the caller takes', () => {
    const list = encodeCbor([1, 2, 3]);
    expect(codeOf(() => decodeCbor(list, { maxBytes: 4 }))).toBe('accepted');
    expect(codeOf(() => decodeCbor(list, { maxBytes: 3 }))).toBe('limit-exceeded');
    expect(codeOf(() => decodeCbor(list, { maxItems: 4 }))).toBe('accepted');
    expect(codeOf(() => decodeCbor(list, { maxItems: 3 }))).toBe('limit-exceeded');
  });

  test.each<[string, unknown]>([
    ['a float', 1.5],
    ['an integer beyond 2^53', 2 ** 53],
    ['an integer of 65 bits', 2n ** 64n],
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['a byte string as key', new Map([[new Uint8Array(1), 1]])],
    ['a big integer as key', new Map([[1n, 1]])],
    ['a function', (): number => 1],
    ['a date', new Date(0)],
    ['a set', new Set([1])],
    ['a value that holds itself', endless()],
  ])('%s is not encoded', (_rule, item) => {
    expect(codeOf(() => encodeCbor(item as CborValue))).toBe('input-invalid');
  });
});
