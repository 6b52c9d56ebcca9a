import type { Crash, CrashPoint } from './crash-points.ts';

export type Action = 'start' | 'load' | 'config' | 'snapshot' | 'restore' | 'reset';

/** What one life of the network is to do until it dies. */
export interface ChildPlan {
  readonly dir: string;
  readonly chaincodeAddress: string;
  readonly action: Action;
  readonly snapshotDir: string;
  /** The highest counter that each worker has ever sent. */
  readonly issued: Readonly<Record<string, number>>;
  readonly crash?: Crash;
  /** When the point was not met: so many more acknowledgements, then the end. */
  readonly acksAfter: number;
}

/** What one peer says over the wire. */
export interface PeerReport {
  readonly height: number;
  readonly blockHash: string;
  readonly commitHash: string;
  readonly configSequence: number;
  /** Counter by worker. */
  readonly state: Readonly<Record<string, number>>;
}

export type Report = Readonly<Record<string, PeerReport>>;

export type ChildEvent =
  | { readonly event: 'refused'; readonly code: string; readonly message: string }
  | { readonly event: 'started'; readonly report: Report }
  | {
      readonly event: 'acked';
      readonly worker: string;
      readonly counter: number;
      readonly txId: string;
      readonly blockNumber: number;
    }
  | { readonly event: 'configured'; readonly blockNumber: number }
  | { readonly event: 'begin' | 'end'; readonly action: Action; readonly issued: Readonly<Record<string, number>> }
  | { readonly event: 'unexpected'; readonly message: string }
  | { readonly event: 'crash'; readonly point: CrashPoint | 'any moment'; readonly when: Crash['when'] };
