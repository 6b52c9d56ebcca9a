import { DevnetError } from '../errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** A duration as Go writes it: `250ms`, `2s`, `1m30s`; what is no whole number of seconds in milliseconds. */
export function formatDuration(durationMs: number): string {
  if (durationMs % 1000 !== 0) return `${durationMs}ms`;
  const seconds = durationMs / 1000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes % 60}m` : ''}${seconds % 60}s`;
}

/** Milliseconds of a Go duration such as `1m30s` or `250ms`. Throws DevnetError CONFIG_INVALID. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new DevnetError('CONFIG_INVALID', 'a duration cannot be read');
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}
