/** Deadlines of the single steps, in milliseconds. */
export interface LedgerDeadlines {
  readonly evaluateMs: number;
  readonly endorseMs: number;
  readonly submitMs: number;
  /** For one question after the commit status; a lost one is asked again until `commitTotalMs` has passed. */
  readonly commitStatusMs: number;
  readonly commitTotalMs: number;
}

/** Deadlines when the caller names none. */
export const defaultDeadlines: LedgerDeadlines = {
  evaluateMs: 15_000,
  endorseMs: 30_000,
  submitMs: 15_000,
  commitStatusMs: 30_000,
  commitTotalMs: 120_000,
};

/** What a ledger connection bounds, whatever the client library behind it. */
export interface LedgerLimits {
  readonly deadlines?: Partial<LedgerDeadlines>;
  /** Unary calls at once; more wait. Default 128: Fabric's gateway serves 500 over all its clients. */
  readonly maxInFlight?: number;
  /** How often a `retryable` transaction is made anew after a conflict. Default 8. */
  readonly maxConflictRetries?: number;
}

/** See `LedgerLimits.maxInFlight`. */
export const defaultMaxInFlight = 128;

/** See `LedgerLimits.maxConflictRetries`. */
export const defaultMaxConflictRetries = 8;

/** One big block would otherwise stop a replica for good: grpc-js takes 4 MiB unless told. */
export const maxReceiveSizeBytes = 100 * 1024 * 1024;

/** Fabric's servers end connections that ping more often than once a minute. */
export const keepaliveTimeMs = 120_000;
