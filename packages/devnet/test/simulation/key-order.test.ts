import { property, assert, string, uniqueArray } from 'fast-check';
import { compareKeys, sortedByKey } from '../../src/simulation/index.ts';

describe('key order', () => {
  test('keys are in the order of their UTF-8 bytes', () => {
    assert(
      property(string({ unit: 'binary' }), string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  test('a character above U+FFFF comes after U+E000 to U+FFFF, unlike in JavaScript', () => {
    expect(compareKeys('\u{1f600}', '\uffee')).toBeGreaterThan(0);
    expect(['\uffee', '\u{1f600}'].sort()).toEqual(['\u{1f600}', '\uffee']);
  });

  test('values are sorted by their keys, whatever order they came in', () => {
    assert(
      property(uniqueArray(string({ unit: 'binary' })), (keys) => {
        const forwards = sortedByKey(new Map(keys.map((key) => [key, key])));
        expect(sortedByKey(new Map([...keys].reverse().map((key) => [key, key])))).toEqual(forwards);
      }),
    );
  });
});
