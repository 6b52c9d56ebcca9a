import type { EventQueue } from './events.ts';

/** A member's wall clock, which may stand off true time, run fast or slow, and jump. */
export interface SimClock {
  /** What the clock shows: milliseconds since 1970. */
  wallMs(): number;
  /** Moves the clock by `byMs`, which may be negative. */
  jump(byMs: number): void;
  /** The clock gains `partsPerMillion` from now on; negative: it loses. */
  drift(partsPerMillion: number): void;
  /** The clock is set right and runs right. */
  correct(): void;
}

/** True time at the beginning of every run: 2026-01-01T00:00:00Z. */
export const EPOCH_MS = 1_767_225_600_000;

export function createClock(events: EventQueue): SimClock {
  let offsetMs = 0;
  let sinceMs = 0;
  let ppm = 0;
  const settle = (): void => {
    offsetMs += Math.trunc(((events.nowMs() - sinceMs) * ppm) / 1_000_000);
    sinceMs = events.nowMs();
  };
  return {
    wallMs: () => EPOCH_MS + events.nowMs() + offsetMs + Math.trunc(((events.nowMs() - sinceMs) * ppm) / 1_000_000),
    jump(byMs) {
      settle();
      offsetMs += byMs;
    },
    drift(partsPerMillion) {
      settle();
      ppm = partsPerMillion;
    },
    correct() {
      sinceMs = events.nowMs();
      ppm = 0;
      offsetMs = 0;
    },
  };
}
