import { WaymarkError } from '../errors.ts';

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** 0001-01-01T00:00:00.000Z, the first time that is accepted: JavaScript and Go both write the year before it differently. */
export const earliestTimeMs = -62_135_596_800_000;
/** 9999-12-31T23:59:59.999Z, the last time RFC 3339 can write. */
export const latestTimeMs = 253_402_300_799_999;
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** The Gregorian calendar repeats after 400 years. */
const cycleMs = 146_097 * dayMs;

/**
 * Milliseconds since 1970 of an RFC 3339 time with its offset; digits below the millisecond are cut. A leap second (23:59:60 UTC) counts as
 * the second before it.
 * @param place where the time stands, for the error
 * @throws WaymarkError input-invalid
 */
export function parseTime(text: string, place = '/collectionTime'): number {
  const match = rfc3339.exec(text);
  const timeMs = match === null ? Number.NaN : timeOf(match);
  if (!(timeMs >= earliestTimeMs && timeMs <= latestTimeMs)) {
    const reason = 'is not an RFC 3339 time';
    throw new WaymarkError('input-invalid', `${place} ${reason}.`, { details: { place, reason } });
  }
  return timeMs;
}

/** Milliseconds since 1970, or NaN for a time that no clock shows. */
function timeOf(match: RegExpExecArray): number {
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const [offsetHour, offsetMinute] = [part(9), part(10)];
  const dayExists = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  if (!dayExists || hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return Number.NaN;
  const offsetMs = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute) * minuteMs;
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  // `Date.UTC` takes years below 100 for those of the 20th century.
  const timeMs =
    Date.UTC(year + 400, month - 1, day, hour, minute, Math.min(second, 59), milliseconds) - cycleMs - offsetMs;
  return second === 60 && !isLastSecondOfDay(timeMs) ? Number.NaN : timeMs;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLastSecondOfDay(timeMs: number): boolean {
  return ((timeMs % dayMs) + dayMs) % dayMs >= dayMs - 1_000;
}

/** RFC 3339 in UTC with milliseconds. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
