import type { WatchedProcess } from '../consumption.ts';

/** When a side says that records are stored. */
export type Acknowledged =
  /** A quorum holds them durably: what etcd's answer means, and a sealed block. */
  | 'durable'
  /** They are in a block that nobody can take back, applied at the center. */
  | 'confirmed';

/** A replicated store under measurement, with its client in this process. */
export interface LedgerSide {
  readonly name: string;
  /** Its own processes, without the client. */
  readonly processes: readonly WatchedProcess[];
  /** Stores so many new records as one unit; resolves when they are acknowledged. Calls may overlap. */
  put(count: number, until: Acknowledged): Promise<void>;
  /** Records that each member holds, once a quorum of them holds `expected`. @throws when that never comes */
  stored(expected: number): Promise<readonly number[]>;
  /** Rejects when one of its processes ends or its client is cut off. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}
