import type { Random } from './random.ts';

/** What may go wrong with the next write or sync of a disk. */
export type DiskFault = 'full' | 'fsync-error';

/**
 * A member's disk: an append-only file of records. What was written and not yet synced is lost in a crash, wholly or but for
 * its first records, and the record at the tear is unreadable, which is what a length and checksum per record make of a torn tail.
 */
export interface SimDisk<T> {
  /** Appends records. False when the disk is full: then none of them was written. */
  write(records: readonly T[]): boolean;
  /** Makes all that was written durable. False on an I/O error: what had not been synced is then gone or not, nobody knows. */
  sync(): boolean;
  /** The machine loses power. */
  crash(random: Random): 'clean' | 'lost' | 'torn';
  /** What a reader finds after a start: the synced records and those that survived a crash. */
  read(): readonly T[];
  /** A copy of the synced records, as a backup would hold it. */
  backup(): readonly T[];
  /** The disk is replaced by one that holds `records`, an empty one by default. */
  replace(records?: readonly T[]): void;
  fault: DiskFault | undefined;
}

export function createDisk<T>(): SimDisk<T> {
  let records: T[] = [];
  let syncedCount = 0;
  const disk: SimDisk<T> = {
    fault: undefined,
    write(more) {
      if (disk.fault === 'full') return false;
      for (const record of more) records.push(record);
      return true;
    },
    sync() {
      if (disk.fault === 'fsync-error') return false;
      syncedCount = records.length;
      return true;
    },
    crash(random) {
      const unsynced = records.length - syncedCount;
      if (unsynced === 0) return 'clean';
      const kept = random.below(unsynced + 1);
      records = records.slice(0, syncedCount + kept);
      syncedCount = records.length;
      if (kept === unsynced) return 'clean';
      return kept === 0 ? 'lost' : 'torn';
    },
    read: () => records,
    backup: () => records.slice(0, syncedCount),
    replace(other = []) {
      records = [...other];
      syncedCount = records.length;
    },
  };
  return disk;
}
