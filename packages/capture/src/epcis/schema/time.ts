/**
 * Times of EPCIS events: `xsd:dateTimeStamp` in the standard, `date-time` in JSON (RFC 3339 section 5.6), with a
 * zone always. The offset may also be written +hh or +hhmm (ISO 8601) and a blank may stand for the T, which readers of
 * the JSON binding accept as well.
 */
const form = /^(\d{4})-(\d\d)-(\d\d)[Tt\s](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)$/;

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/**
 * Milliseconds since 1970 of a time, rounded half up at the fourth decimal of the second; `undefined` when the text is none (no such
 * day, no zone, seconds of 61...).
 */
function readTime(text: string): number | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fraction = match[7] ?? '';
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0));
  if (Number(match[9] ?? 0) > 23 || Number(match[10] ?? 0) > 59) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) {
    if (!isLeapSecond(hour, minute, second, offsetMinutes)) return undefined;
  }
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0')) + (Number(fraction[3] ?? 0) >= 5 ? 1 : 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offsetMinutes, second, milliseconds);
  return date.getTime();
}

/** RFC 3339 section 5.7: second 60 exists only as the last one of a UTC day. */
function isLeapSecond(hour: number, minute: number, second: number, offsetMinutes: number): boolean {
  if (hour > 23 || minute > 59 || second !== 60) return false;
  const utcMinute = (((hour * 60 + minute - offsetMinutes) % 1440) + 1440) % 1440;
  return utcMinute === 1439;
}

/** Whether `text` is a time as EPCIS demands it. */
export function isTime(text: string): boolean {
  return readTime(text) !== undefined;
}

/** The time in UTC with milliseconds, as RFC 3339. `undefined` when it is none, or leaves the years 0000 to 9999. */
export function utcMilliseconds(text: string): string | undefined {
  const timeMs = readTime(text);
  if (timeMs === undefined) return undefined;
  const iso = new Date(timeMs).toISOString();
  return /^\d{4}-/.test(iso) ? iso : undefined;
}
