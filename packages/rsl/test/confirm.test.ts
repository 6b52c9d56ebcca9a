import { confirmedBy } from '../src/index.ts';

const at = (height: number, term: number, confirmed = 0) => ({ height, term, confirmed });

test('trusted center: a certificate on the next block confirms (Raft section 5.4)', () => {
  expect(confirmedBy(at(4, 1, 3), at(5, 1), false)).toBe(4);
  expect(confirmedBy(at(4, 1, 3), at(5, 2), false)).toBe(4);
});

test('lying center: two certificates above confirm, when they are of one term', () => {
  expect(confirmedBy(at(4, 1, 2), at(5, 1), true)).toBe(3);
  expect(confirmedBy(at(4, 1, 2), at(5, 2), true)).toBe(2);
});

test('what is confirmed stays confirmed', () => {
  expect(confirmedBy(at(1, 1, 1), at(2, 1), true)).toBe(1);
  expect(confirmedBy(at(7, 3, 6), at(8, 4), true)).toBe(6);
});

test('planted bugs make it confirm too early', () => {
  expect(confirmedBy(at(4, 1, 2), at(5, 1), true, { confirmTooEarly: true })).toBe(4);
  expect(confirmedBy(at(4, 1, 2), at(5, 1), true, { confirmOnSeal: true })).toBe(5);
  expect(confirmedBy(at(4, 1, 2), at(5, 2), true, { commitOldTerm: true })).toBe(3);
});
