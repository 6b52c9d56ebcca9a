/** So many things a second, with as many saved up as one second brings. */
export interface Allowance {
  /** Takes up to `wanted`. @returns how many may be done now */
  take(wanted: number): number;
}

/** @param monotonicMs clock */
export function createAllowance(perSecond: number, monotonicMs: () => number): Allowance {
  let saved = perSecond;
  let atMs = monotonicMs();
  return {
    take(wanted) {
      const now = monotonicMs();
      saved = Math.min(perSecond, saved + ((now - atMs) / 1_000) * perSecond);
      atMs = now;
      const taken = Math.min(wanted, Math.floor(saved));
      saved -= taken;
      return taken;
    },
  };
}
