import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, canonicalJsonBytes, type JsonValue, parseJsonStrict } from '../../src/index.ts';
import { codeOf } from '../support/refusal.ts';

/** JSON values whose texts every system reads alike. */
const text = fc.string({ unit: 'grapheme' }).map((raw) => raw.normalize('NFC').replaceAll('\u0000', ''));
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value)),
);
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 6, noNullPrototype: true },
    ),
  ),
}));

test('the canonical text is JSON for the same value, and its own canonical text', () => {
  fc.assert(
    fc.property(value, (item) => {
      const canonical = canonicalJson(item);
      const again = parseJsonStrict(canonical);
      expect(again).toEqual(JSON.parse(JSON.stringify(item)));
      expect(canonicalJson(again)).toBe(canonical);
    }),
  );
});

test('the order of keys and the spelling of the text do not show', () => {
  fc.assert(
    fc.property(value, (item) => {
      const spaced = parseJsonStrict(JSON.stringify(item, undefined, 2));
      expect(canonicalJson(reversed(spaced))).toBe(canonicalJson(item));
    }),
  );
});

function reversed(item: JsonValue): JsonValue {
  if (Array.isArray(item)) return item.map((inner: JsonValue) => reversed(inner));
  if (typeof item !== 'object' || item === null) return item;
  return Object.fromEntries(
    Object.entries(item)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

test('another implementation of RFC 8785 writes the same', () => {
  const keyed = fc.dictionary(
    fc.string({ unit: 'binary' }).filter((key) => key.isWellFormed() && key !== '__proto__'),
    fc.oneof(value, fc.double({ noNaN: true, noDefaultInfinity: true })),
    { maxKeys: 60, noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.oneof(value, keyed), (item) => {
      expect(canonicalJson(item)).toBe(canonicalize(item));
    }),
    { numRuns: 1_000 },
  );
});

test('bytes are the UTF-8 of the text', () => {
  expect(Buffer.from(canonicalJsonBytes({ b: 'é', a: 1e21 })).toString('hex')).toBe(
    Buffer.from('{"a":1e+21,"b":"é"}', 'utf8').toString('hex'),
  );
});

// RFC 8785 appendix B.
test.each([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
])('the double %s is written %s', (bits, expected) => {
  expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(expected);
});

test.each<[string, unknown]>([
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a lone surrogate', '\ud800'],
  ['a key with a lone surrogate', { '\udead': 1 }],
  ['undefined', undefined],
  ['a function', () => 1],
  ['a big integer', 1n],
])('%s has no canonical form', (_rule, item) => {
  expect(codeOf(() => canonicalJson(item as JsonValue))).toBe('input-invalid');
});

test('a value that holds itself is refused', () => {
  const loop: JsonValue[] = [];
  loop.push(loop);
  expect(codeOf(() => canonicalJson(loop))).toBe('input-invalid');
});
