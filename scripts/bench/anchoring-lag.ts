import type { SubmitProgress } from '@waymark/sdk';

/** One record in so many is timed. */
const every = 16;

/**
 * Times from accepted to anchored (P6), by rank: when the n-th record was accepted, and when the n-th was anchored. Batches keep their order, so that it is about
 * the same record.
 */
export interface AnchoringLag {
  readonly seen: (progress: SubmitProgress) => void;
  /** In milliseconds. */
  readonly lagsMs: readonly number[];
}

export function createAnchoringLag(nowMs: () => number = () => performance.now()): AnchoringLag {
  const acceptedAtMs: number[] = [];
  const lagsMs: number[] = [];
  return {
    seen({ reached }) {
      const atMs = nowMs();
      while ((acceptedAtMs.length + 1) * every <= reached.accepted) acceptedAtMs.push(atMs);
      while ((lagsMs.length + 1) * every <= reached.anchored) lagsMs.push(atMs - (acceptedAtMs[lagsMs.length] ?? atMs));
    },
    lagsMs,
  };
}
