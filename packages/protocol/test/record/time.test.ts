import fc from 'fast-check';
import { earliestTimeMs, formatTime, latestTimeMs, parseTime } from '../../src/index.ts';
import { refusal } from '../support/refusal.ts';

test.each([
  ['2026-11-21T09:55:48Z', '2026-11-21T09:55:48.000Z'],
  ['2026-11-21t09:55:48z', '2026-11-21T09:55:48.000Z'],
  ['2026-11-21T09:55:48.1Z', '2026-11-21T09:55:48.100Z'],
  ['2026-11-21T09:55:48.123999999Z', '2026-11-21T09:55:48.123Z'],
  ['2026-11-21T09:55:48+05:30', '2026-11-21T04:25:48.000Z'],
  ['2026-11-21T00:00:00.5-11:45', '2026-11-21T11:45:00.500Z'],
  ['2026-11-21T09:55:48-00:00', '2026-11-21T09:55:48.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
  ['1990-12-31T15:59:60.25-08:00', '1990-12-31T23:59:59.250Z'],
  ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['0099-12-31T23:59:59Z', '0099-12-31T23:59:59.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is %s', (text, expected) => {
  expect(formatTime(parseTime(text))).toBe(expected);
});

test.each([
  '',
  '2026-11-21',
  '2026-11-21T09:55Z',
  '2026-11-21T09:55:48',
  '2026-11-21 09:55:48Z',
  '2026-11-21T09:55:48.Z',
  '2026-11-21T09:55:48.1234567890Z',
  '2026-11-21T09:55:48+0530',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-02-30T00:00:00.000Z',
  '2026-04-31T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:61Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T23:59:60+01:00',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+00:60',
  '0000-12-31T00:00:00Z',
  '0001-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '+02026-01-01T00:00:00Z',
  '٢٠٢٦-01-01T00:00:00Z',
  ' 2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z\n',
  'Sat, 21 Nov 2026 09:55:48 GMT',
])('"%s" is refused', (text) => {
  expect(refusal(() => parseTime(text))).toMatchObject({
    code: 'input-invalid',
    details: { place: '/collectionTime', reason: 'is not an RFC 3339 time' },
  });
});

test('every moment that is written is read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: earliestTimeMs, max: latestTimeMs }), (timeMs) => {
      expect(parseTime(formatTime(timeMs))).toBe(timeMs);
    }),
  );
});

test('texts of the right shape are read as the engine reads them, or refused', () => {
  const digits = (length: number): fc.Arbitrary<string> =>
    fc.integer({ min: 0, max: 10 ** length - 1 }).map((value) => String(value).padStart(length, '0'));
  const text = fc
    .tuple(digits(4), fc.tuple(digits(2), digits(2), digits(2), digits(2), digits(2)), digits(3))
    .map(
      ([year, [month, day, hour, minute, second], ms]) => `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`,
    );
  fc.assert(
    fc.property(text, (written) => {
      try {
        expect(parseTime(written)).toBe(Date.parse(written));
      } catch {
        expect(refusal(() => parseTime(written)).code).toBe('input-invalid');
      }
    }),
    { numRuns: 2_000 },
  );
});
