export { type AllowListState, connect, type Waymark } from './connect.ts';
export {
  createExternalRequest,
  type ExternalRequest,
  openExternalAnswer,
  type SealedExternalAnswer,
} from './external/external.ts';
export { type AskerKeys, createAskerKeys, generateAskerKeys, readAskerKeys } from './keys/asker-keys.ts';
export { createReaderKey, readReaderKey } from './keys/reader-key.ts';
export { loadProfile } from './profile/load-profile.ts';
export { type Profile, type ProfileDocument, profileSchema } from './profile/schema.ts';
export type { RecordInput } from './submit/record-message.ts';
export type {
  SubmitOptions,
  SubmitProgress,
  SubmitReceipt,
  SubmitResult,
  SubmitState,
} from './submit/submit-records.ts';
export type { TraceQuery } from './trace/queries.ts';
export type { CompareOptions, ComparisonSummary, UnmatchedRecord } from './trace/trace-file.ts';
export type { TraceAnswer, TracedRecord, TraceManyOptions, TraceOutcome } from './trace/trace.ts';
