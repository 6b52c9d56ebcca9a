import { WaymarkError } from '../errors.ts';

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Milliseconds since 1970 of an RFC 3339 time; digits below the millisecond are cut. A leap second counts as the second before it.
 * @throws WaymarkError input-invalid
 */
export function parseTime(text: string): number {
  const match = rfc3339.exec(text);
  const parsed = match === null ? Number.NaN : Date.parse(normalised(text, match));
  if (Number.isNaN(parsed) || !dayExists(match)) {
    throw new WaymarkError('input-invalid', 'The time is not an RFC 3339 time.', {
      details: { place: 'collectionTime' },
    });
  }
  return parsed;
}

function normalised(text: string, match: RegExpExecArray): string {
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  if (fraction === undefined && second !== '60') return text.toUpperCase();
  const milliseconds = (fraction ?? '.').slice(1, 4).padEnd(3, '0');
  return `${year}-${month}-${day}T${hour}:${minute}:${second === '60' ? '59' : second}.${milliseconds}${(zone ?? '').toUpperCase()}`;
}

/** `Date.parse` takes the 30th of February for the 2nd of March in some forms. */
function dayExists(match: RegExpExecArray | null): boolean {
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** RFC 3339 in UTC with milliseconds. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
