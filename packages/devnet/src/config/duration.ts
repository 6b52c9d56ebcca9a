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

/** A duration as Go writes it for the values in use: `250ms`, `2s`. */
export function formatDuration(durationMs: number): string {
  return durationMs % 1000 === 0 && durationMs < 60_000 ? `${durationMs / 1000}s` : `${durationMs}ms`;
}

/** Milliseconds of a Go duration such as `1m30s` or `250ms`. Throws DevnetError CONFIG_INVALID. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new DevnetError('CONFIG_INVALID', 'a duration cannot be read');
  }
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}
