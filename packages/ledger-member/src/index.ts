export * from './member.ts';
export * from './ports.ts';
export {
  attachmentOf,
  type BatchSignatures,
  type SignedBatch,
  signedBatches,
  submissionOfBatch,
} from './batch/batch-submission.ts';
export { acceptedOids } from './applier.ts';
export * from './peers/index.ts';
