import type { Report } from './child-protocol.ts';

/** A transaction that a client was told VALID. */
export interface Acknowledged {
  readonly worker: string;
  readonly counter: number;
  readonly txId: string;
  readonly blockNumber: number;
}

type Counters = Readonly<Record<string, number>>;

/** What a ledger must hold after a restart: no more can be known of one that others were writing to when it died. */
export class ExpectedLedger {
  readonly #acknowledged: Acknowledged[];
  /** Counters up to `cap` are from before a snapshot, those above `floor` from after it was brought back: none between. */
  readonly #gap: { readonly cap: Counters; readonly floor: Counters } | undefined;
  #configurations: number[];

  private constructor(
    acknowledged: readonly Acknowledged[],
    configurations: readonly number[],
    gap?: { readonly cap: Counters; readonly floor: Counters },
  ) {
    this.#acknowledged = [...acknowledged];
    this.#configurations = [...configurations];
    this.#gap = gap;
  }

  static empty(): ExpectedLedger {
    return new ExpectedLedger([], []);
  }

  get acknowledged(): readonly Acknowledged[] {
    return this.#acknowledged;
  }

  add(acknowledged: Acknowledged): void {
    this.#acknowledged.push(acknowledged);
  }

  addConfiguration(blockNumber: number): void {
    this.#configurations.push(blockNumber);
  }

  copy(): ExpectedLedger {
    return new ExpectedLedger(this.#acknowledged, this.#configurations, this.#gap);
  }

  /** As it is brought back: nothing that was sent after the snapshot was taken and before it came back. */
  restored(takenUpTo: Counters, restoredAt: Counters): ExpectedLedger {
    return new ExpectedLedger(this.#acknowledged, this.#configurations, { cap: takenUpTo, floor: restoredAt });
  }

  /** What is missing or too much; undefined when all is as it must be. */
  contradiction(report: Report): string | undefined {
    const peers = Object.entries(report);
    const [[, first] = []] = peers;
    if (first === undefined) return 'no peer';
    for (const [name, peer] of peers) {
      if (JSON.stringify(peer) !== JSON.stringify(first)) {
        return `${name} has ${JSON.stringify(peer)}, the first peer ${JSON.stringify(first)}`;
      }
    }
    for (const { worker, counter, blockNumber } of this.#acknowledged) {
      if ((first.state[worker] ?? 0) < counter)
        return `${worker} was told ${counter}, the state has ${first.state[worker]}`;
      if (first.height <= blockNumber)
        return `a client was told of block ${blockNumber}, the height is ${first.height}`;
    }
    if (first.configSequence < this.#configurations.length) {
      return `${this.#configurations.length} configurations were told, the channel has ${first.configSequence}`;
    }
    const { cap, floor } = this.#gap ?? {};
    for (const [worker, value] of Object.entries(first.state)) {
      if (cap !== undefined && floor !== undefined && value > (cap[worker] ?? 0) && value <= (floor[worker] ?? 0)) {
        return `${worker} has ${value}, which was sent after the snapshot and before it was brought back`;
      }
    }
    return undefined;
  }
}
