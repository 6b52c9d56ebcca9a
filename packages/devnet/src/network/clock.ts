import { DevnetError } from '../errors.ts';

/** The clock that a network judges proposals, requests and certificates by. It runs on; only its distance is moved. */
export interface DevnetClock {
  nowMs(): number;
  /** Moves the clock, back with a negative number; the moves add up. Timers, such as that of the block cutter, are not moved. */
  advance(deltaMs: number): void;
  /** Back to the system's time, or that of the options. */
  reset(): void;
}

export function createClock(base: () => number): DevnetClock {
  let offsetMs = 0;
  return {
    nowMs: () => base() + offsetMs,
    advance: (deltaMs) => {
      if (!Number.isFinite(deltaMs)) throw new DevnetError('OPTIONS_INVALID', 'a clock moves by milliseconds');
      offsetMs += deltaMs;
    },
    reset: () => {
      offsetMs = 0;
    },
  };
}
