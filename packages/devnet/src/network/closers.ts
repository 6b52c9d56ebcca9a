/** The parts of a network in the order in which they stop: nobody uses what is closed already. */
const PHASES = ['endpoints', 'peers', 'orderer'] as const;

export type Phase = (typeof PHASES)[number];

/** What has been started and must be stopped, also when the start fails half way. */
export class Closers {
  readonly #phases = new Map<Phase, (() => Promise<void>)[]>();

  add(phase: Phase, close: () => Promise<void>): void {
    const closers = this.#phases.get(phase);
    if (closers === undefined) this.#phases.set(phase, [close]);
    else closers.push(close);
  }

  /** Closes phase by phase, everything of a phase at once; goes on after an error and throws the first one at the end. */
  async closeAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const phase of PHASES) {
      const closers = this.#phases.get(phase) ?? [];
      this.#phases.delete(phase);
      const outcomes = await Promise.allSettled(closers.map((close) => close()));
      for (const outcome of outcomes) if (outcome.status === 'rejected') errors.push(outcome.reason);
    }
    if (errors.length > 0) throw errors[0];
  }
}
