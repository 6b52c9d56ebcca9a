import { sealTimestamp } from '../src/index.ts';

const at = (...times: number[]) => times.map((ackTimeMs) => ({ ackTimeMs }));

test('the timestamp is the median of the ack times, of an even number the lower middle one (D3)', () => {
  expect(sealTimestamp(at(30, 10, 20), 0)).toBe(20);
  expect(sealTimestamp(at(40, 10, 20, 30), 0)).toBe(20);
  expect(sealTimestamp(at(7), 0)).toBe(7);
});

test('one clock a year off does not move it past an honest one', () => {
  const year = 31_536_000_000;
  expect(sealTimestamp(at(1_000, 1_010, 1_000 + year), 0)).toBe(1_010);
  expect(sealTimestamp(at(1_000 - year, 1_000, 1_010), 0)).toBe(1_000);
});

test('it never goes back behind the block before', () => {
  expect(sealTimestamp(at(5, 6, 7), 100)).toBe(100);
});
