import type { RenamingFileSystem } from '@waymark/durable-files';
import type { PersistStep, SealedBlock } from '@waymark/rsl';
import type { LogPosition, Standing } from './position.ts';

export interface LedgerLogOptions {
  /** Belongs to this log alone. */
  readonly folder: string;
  /**
   * Whether a new log may be made when there is none. A member that has ever acknowledged or voted must be opened with `false`: a disk that is
   * suddenly empty is then an error and not a fresh start.
   */
  readonly create: boolean;
  /** All segments together; a write that would exceed it is refused. A checkpoint needs room beside it, up to as much again. Default 512 MiB. */
  readonly maxSizeBytes?: number | undefined;
  /** A segment is closed when the next write would make it larger than this. Default 16 MiB. */
  readonly maxSegmentSizeBytes?: number | undefined;
  /** Steps that wait to be written; more are refused. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Growth since the last checkpoint from which `stats().isCheckpointDue`. Default 32 MiB. */
  readonly checkpointAfterBytes?: number | undefined;
  /** Idle time after which the last write is marked as durable in the log; `null`: only when it is closed. Default 20. */
  readonly markAfterMs?: number | null | undefined;
  /** Default: the machine's, with modes 0700 and 0600. */
  readonly fileSystem?: RenamingFileSystem | undefined;
  /** Takes the lock of the folder. Default: held by the operating system for this process. */
  readonly lock?: ((folder: string) => Promise<{ close(): Promise<void> }>) | undefined;
}

/** What opening found and did. */
export interface RestoredLog {
  /** For `createCore({ persisted })`: everything since the last checkpoint, in order. */
  readonly steps: readonly PersistStep[];
  /** Whether the log was made just now. */
  readonly isNew: boolean;
  /** The end of an unfinished, never acknowledged write that was cut off. */
  readonly tornTail: { readonly segment: number; readonly offset: number; readonly sizeBytes: number } | null;
}

export interface LedgerLogStats {
  readonly sizeBytes: number;
  readonly maxSizeBytes: number;
  readonly segments: number;
  readonly queuedBytes: number;
  /** Steps made durable since opening. */
  readonly steps: number;
  /** Groups that they were synced in. */
  readonly groups: number;
  /** Heights that `read` can serve; `first` is above `last` when there are none. */
  readonly firstHeight: number;
  readonly lastHeight: number;
  readonly isCheckpointDue: boolean;
  /** Three quarters of `maxSizeBytes` are used: take nothing in until a checkpoint has made room. */
  readonly isNearlyFull: boolean;
  /** Why nothing can be written any more, if so: `disk-full`, `read-only`, `io-fault`, ... */
  readonly fault: string | null;
}

/** The durable log under one member of a private ledger. */
export interface LedgerLog {
  readonly restored: RestoredLog;
  /**
   * Appends steps. Resolves when they and all before them are durable; calls that wait share one sync. Steps are taken as they are at the call.
   * @throws WaymarkError limit-exceeded (`log-size`, `queue`, `record`): nothing was written, later calls may succeed;
   *   unavailable (`disk-full`, `read-only`, `io-fault`, ..., `closed`): the log takes nothing more until it is opened again, and what had been
   *   called for may or may not be on the disk; internal: the steps do not follow those before
   */
  persist(steps: readonly PersistStep[]): Promise<void>;
  /**
   * Replaces the whole log by what `core.checkpoint()` answers while nothing is handed out: written beside the old segments, which go when it is durable.
   * @throws WaymarkError as `persist`; internal when it forgets a promise that the log holds
   */
  checkpoint(steps: readonly PersistStep[]): Promise<void>;
  /**
   * Sealed blocks from one height to another, both included, one at a time in memory; checked as they are read.
   * @throws WaymarkError gone (below what is kept, or replaced meanwhile), input-invalid (above what is sealed), data-abnormal
   */
  read(from: number, to: number): AsyncIterable<SealedBlock>;
  /** How far this log has got: to be announced to the other members, who remember it. */
  position(): LogPosition;
  /** What this log is to a position that others remember of it. Anything but `held` means that promises may be forgotten: the member must not vote or acknowledge. */
  standingOf(known: LogPosition): Standing;
  stats(): LedgerLogStats;
  /** Writes what waits, and lets go of the folder. */
  close(): Promise<void>;
}
