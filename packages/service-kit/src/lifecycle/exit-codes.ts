/** How a service process ends. */
export const exitCodes = {
  /** Stopped when asked to. */
  stopped: 0,
  /** Could not start, or could not stop in time. */
  failed: 1,
  /** The configuration is wrong: starting again will not help. */
  configurationInvalid: 2,
  /** A fault nobody foresaw or a broken invariant: the process no longer knows that its state is right (sysexits EX_SOFTWARE). */
  crashed: 70,
} as const;
