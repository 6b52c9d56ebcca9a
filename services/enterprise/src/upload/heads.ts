import type { OutletPosition } from '../journal/journal.ts';

/** The last batch of each outlet that was checked, whether or not it is on disk yet. */
export interface Heads {
  get(outlet: string): OutletPosition | undefined;
  advance(outlet: string, position: OutletPosition): void;
  /** Forgets what was checked but not written, of one outlet or of all: the journal is the truth again. */
  reset(outlet?: string): void;
}

/** Heads over a journal. */
export function createHeads(journal: { position(outlet: string): OutletPosition | undefined }): Heads {
  const heads = new Map<string, OutletPosition | undefined>();
  return {
    get(outlet) {
      if (!heads.has(outlet)) heads.set(outlet, journal.position(outlet));
      return heads.get(outlet);
    },
    advance: (outlet, position) => void heads.set(outlet, position),
    reset(outlet) {
      if (outlet === undefined) heads.clear();
      else heads.delete(outlet);
    },
  };
}
