import type { ShipmentRecord } from '@waymark/protocol';

/** One of the two ways that are compared. */
export interface Side {
  readonly name: string;
  /** Submits records for so long, waits until the last is done, and proves that they can be read. */
  run(forMs: number): Promise<SideRun>;
  close(): Promise<void>;
}

/** What a run came to. */
export interface SideRun {
  /** Records in valid transactions. */
  readonly records: number;
  /** Records that were refused or timed out. */
  readonly failed: number;
  /** From the first record submitted to the last one done, in milliseconds. */
  readonly tookMs: number;
  /** From accepted to anchored (P6), of some of the records; none on the naive side. */
  readonly lagsMs?: readonly number[];
}

/** Keeps a few of many things, each with the same chance. */
export interface Sample<T> {
  offer(item: T): void;
  readonly items: readonly T[];
}

/** A record that is done, and under which id it is found. */
export interface DoneRecord {
  readonly record: ShipmentRecord;
  readonly id: string;
}

/** Reservoir sampling: memory for `size` items, however many are offered. */
export function createSample<T>(size: number, random: () => number): Sample<T> {
  const items: T[] = [];
  let offered = 0;
  return {
    offer(item) {
      offered += 1;
      if (items.length < size) items.push(item);
      else {
        const place = Math.floor(random() * offered);
        if (place < size) items[place] = item;
      }
    },
    items,
  };
}

/** Records per second of a run. */
export function rateOf({ records, tookMs }: SideRun): number {
  return (records * 1_000) / tookMs;
}
