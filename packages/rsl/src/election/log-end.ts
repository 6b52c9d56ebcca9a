import type { LogEnd } from './vote.ts';

/**
 * Compares how far two logs go: negative, zero or positive as `a` ends below, at or above `b`.
 *
 * Trusted center: by the last entry's term, then height (Raft section 5.4.1). Lying center: by the last sealed block first, because its
 * certificate cannot be made up while a candidate can, then by the candidate above it.
 */
export function compareLogEnds(a: LogEnd, b: LogEnd, lyingCenter: boolean): number {
  if (lyingCenter) return comparePlaces(a.sealed, b.sealed) || comparePlaces(a.candidate, b.candidate);
  return comparePlaces(a.candidate ?? a.sealed, b.candidate ?? b.sealed);
}

interface Place {
  readonly term: number;
  readonly height: number;
}

/** By term, then by height; nothing is below everything. */
export function comparePlaces(a: Place | null, b: Place | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a.term - b.term || a.height - b.height;
}
