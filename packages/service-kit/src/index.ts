export { configurationTypes, type ConfigurationTypes } from './configuration/configuration-types.ts';
export { readSecretFile, readTextFile, readTlsFiles, type TlsFiles, type TlsMaterial } from './configuration/files.ts';
export { loadConfiguration } from './configuration/load-configuration.ts';
export {
  createApiServer,
  peerIdentity,
  type ApiServer,
  type ApiServerOptions,
  type PeerIdentity,
} from './http/api-server.ts';
export { createApplication, type ApplicationOptions } from './http/application.ts';
export { jsonBody, maxBodySizeBytes } from './http/json-body.ts';
export { problemMediaType, toProblem, type Problem } from './http/problem.ts';
export type { Component } from './lifecycle/component.ts';
export { lockDataFolder, type DataFolderLock } from './lifecycle/data-folder.ts';
export { exitCodes } from './lifecycle/exit-codes.ts';
export { assertInvariant } from './lifecycle/invariant.ts';
export { exitCodeOf, runService, type RunningService, type ServiceOptions } from './lifecycle/run-service.ts';
export { watchFiles, type FileWatch, type FileWatchOptions } from './lifecycle/watch-files.ts';
export type { LogFields } from './log/fields.ts';
export { createLogger, logLevels, type Logger, type LoggerOptions, type LogLevel } from './log/logger.ts';
export { currentRequest, outgoingTraceparent, runInRequest, type RequestContext } from './log/request-context.ts';
export type { HealthCheck } from './operations/health.ts';
export { createHttpMetrics, type HttpMetrics } from './operations/http-metrics.ts';
export { createMetrics } from './operations/metrics.ts';
export {
  createOperationsServer,
  type OperationsServer,
  type OperationsServerOptions,
} from './operations/operations-server.ts';
export type { BatchSource } from './replica/leaf-reader.ts';
export type { CertificateFacts, NodeFacts, OrganisationFacts } from './replica/projection.ts';
export type { BlockSource } from './replica/projector.ts';
export type { IndexHit } from './replica/rows.ts';
export type {
  AnchorFacts,
  CommittedAnchor,
  CommittedReport,
  LedgerCertificateFacts,
  LedgerConfigurationFacts,
  LedgerHeadFacts,
  LedgerReportFacts,
  PrivateLedgerFacts,
} from './replica/ledger-facts.ts';
export {
  openReplica,
  type CommittedEvidence,
  type LedgerReplica,
  type Replica,
  type ReplicaOptions,
} from './replica/replica.ts';
export type { PlacedEvidence } from './replica/replica-store.ts';
export type { ReplicaState } from './replica/replica-state.ts';
export { createCallers, type Caller, type Callers, type KnownOrganisation } from './callers/callers.ts';
export { createOpenCalls, type OpenCalls } from './callers/open-calls.ts';
export {
  openOrganisationTrust,
  type OrganisationTrust,
  type OrganisationTrustOptions,
} from './callers/organisation-trust.ts';
export {
  replicaRegister,
  requireRegistered,
  type NodeKind,
  type Register,
  type RegisteredNode,
} from './callers/register.ts';
export { createRoom, type Room } from './flow/room.ts';
export { statementsOf, type Row, type Statements } from './storage/statements.ts';
export { alertOfCore, type AlertFile, type LedgerAlert } from './anchors/alert.ts';
export { openAlertBook, type AlertBook, type AlertBookParts, type AlertEntry } from './anchors/alert-book.ts';
export { differenceFrom, type AnchorDifference, type Hashing } from './anchors/anchor-check.ts';
export {
  anchorRefusal,
  createAnchorContract,
  type AnchorContract,
  type AnchorOutcome,
  type AnchorRefusal,
  type ChannelHead,
  type ContractOutcome,
  type ReportedProof,
  type ReportOutcome,
} from './anchors/anchor-contract.ts';
export {
  createAnchorWatch,
  type AnchorWatch,
  type AnchorWatchParts,
  type AnchorWatchState,
  type StoredChain,
} from './anchors/anchor-watch.ts';
export { endProcess } from './lifecycle/end-process.ts';
