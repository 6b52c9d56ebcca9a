export type { ChaincodeProcess } from './chaincode-process.ts';
export { startTestConsortium, type TestConsortium, type TestConsortiumOptions } from './consortium.ts';
export type { Overrides, TestFirm, TestIdentity, TestNodeKind } from './firm.ts';
export type { TestService } from './service.ts';
export {
  recordMessage,
  restClient,
  submitClient,
  type RestAnswer,
  type RestClient,
  type SubmitClient,
  type SubmitOutcome,
  type TestRecord,
} from './clients.ts';
export { caughtUp, metric, until } from './until.ts';
export { startServiceProcess, type ServiceProcess } from './service-process.ts';
export { createOrganisationCa } from '@waymark/devnet/ca';
