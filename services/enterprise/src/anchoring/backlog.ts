import type { Header } from '@waymark/rsl';
import type { AnchorBacklog, RelayLimits } from './ports.ts';

/** Counts what is confirmed and not anchored, in bounded memory. */
export interface BacklogCounter {
  /** A block's records, as its header says; any order. */
  seen(header: Pick<Header, 'height' | 'accepted' | 'rejected'>): void;
  hasSeen(height: number): boolean;
  /** @param anchored the last anchored block @param height the last confirmed one */
  count(anchored: number, height: number): AnchorBacklog;
}

/** See `BacklogCounter`. */
export function createBacklogCounter(
  limits: Pick<RelayLimits, 'maxBacklogBlocks' | 'maxBacklogRecords'>,
): BacklogCounter {
  const records = new Map<number, number>();
  let floor = 0;
  let sum = 0;
  return {
    seen({ height, accepted, rejected }) {
      if (height <= floor || records.has(height) || records.size >= limits.maxBacklogBlocks) return;
      records.set(height, accepted + rejected);
      sum += accepted + rejected;
    },
    hasSeen: (height) => height <= floor || records.has(height),
    count(anchored, height) {
      if (anchored > floor) {
        for (const [at, count] of records) {
          if (at > anchored) continue;
          records.delete(at);
          sum -= count;
        }
        floor = anchored;
      }
      const blocks = Math.max(0, height - anchored);
      return { blocks, records: sum, full: blocks >= limits.maxBacklogBlocks || sum >= limits.maxBacklogRecords };
    },
  };
}
