import type { LedgerIdentity } from '../identity/signer.ts';

/** Deadlines of the single steps, in milliseconds. */
export interface GatewayDeadlines {
  readonly evaluateMs: number;
  readonly endorseMs: number;
  readonly submitMs: number;
  /** For one question after the commit status; a lost one is asked again until `commitTotalMs` has passed. */
  readonly commitStatusMs: number;
  readonly commitTotalMs: number;
}

/** Deadlines when the caller names none. */
export const defaultDeadlines: GatewayDeadlines = {
  evaluateMs: 15_000,
  endorseMs: 30_000,
  submitMs: 15_000,
  commitStatusMs: 30_000,
  commitTotalMs: 120_000,
};

/** Where the gateway is and as whom to use it. */
export interface GatewayOptions {
  /** `host:port` of a peer's gateway. */
  readonly endpoint: string;
  /** The TLS CA that certified the gateway. */
  readonly tlsRootPem: string;
  /** Name to expect in the gateway's certificate, when it is not the host of `endpoint`. */
  readonly tlsServerName?: string;
  readonly identity: LedgerIdentity;
  readonly channel: string;
  readonly chaincode: string;
  readonly deadlines?: Partial<GatewayDeadlines>;
  /** Unary calls at once; more wait. Default 128: Fabric's gateway serves 500 over all its clients. */
  readonly maxInFlight?: number;
  /** How often a `retryable` transaction is made anew after a conflict. Default 8. */
  readonly maxConflictRetries?: number;
}

/** One big block would otherwise stop a replica for good: grpc-js takes 4 MiB unless told. */
export const maxReceiveSizeBytes = 100 * 1024 * 1024;

/** Fabric's servers end connections that ping more often than once a minute. */
export const keepaliveTimeMs = 120_000;
