import fc from 'fast-check';
import { pad, padmeLength, unpad } from '../../src/envelope/padding.ts';

test('sizes of the Padmé paper: nine stays nine, a million grows by less than a per cent', () => {
  expect([0, 1, 2, 3, 8, 9, 10, 100, 1_000].map((size) => padmeLength(size))).toEqual([
    0, 1, 2, 3, 8, 10, 10, 104, 1_024,
  ]);
  expect(padmeLength(1_000_000)).toBe(1_015_808);
});

test('padding adds at most 12 %, never takes away, and is stable', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (size) => {
      const padded = padmeLength(size);
      return padded >= size && padded <= Math.max(size * 1.12, size + 1) && padmeLength(padded) === padded;
    }),
    { numRuns: 2_000 },
  );
});

test('padding comes off again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000 }), (content) => Buffer.from(unpad(pad(content))).equals(content)),
  );
});
