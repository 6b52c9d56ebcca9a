import type { Acknowledged } from '../side.ts';

/** Who waits for which number of the outlet's sequence to get how far. */
export interface Acknowledgements {
  /** Numbers are waited for in rising order. */
  wait(seq: number, until: Acknowledged): Promise<void>;
  /** Everything up to these numbers has got so far. */
  heard(progress: { readonly sealed: number; readonly confirmed: number }): void;
}

export function createAcknowledgements(): Acknowledgements {
  const waiting: Record<Acknowledged, { seq: number; resolve: () => void }[]> = { durable: [], confirmed: [] };
  const release = (until: Acknowledged, upTo: number): void => {
    const list = waiting[until];
    const left = list.findIndex(({ seq }) => seq > upTo);
    for (const { resolve } of list.splice(0, left === -1 ? list.length : left)) resolve();
  };
  return {
    wait: (seq, until) => new Promise((resolve) => void waiting[until].push({ seq, resolve })),
    heard({ sealed, confirmed }) {
      release('durable', Math.max(sealed, confirmed));
      release('confirmed', confirmed);
    },
  };
}
