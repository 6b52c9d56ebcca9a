export { startDevnet } from './network/start-devnet.ts';
export type { Devnet, DevnetOrganisation, NodeConnection } from './network/devnet.ts';
export type { DevnetClock } from './network/clock.ts';
export type { DevnetFaults, FailPeerOptions, Fault, ForkStateOptions } from './network/faults.ts';
export { addOrganisation, changeBatchSize, replaceMsp, type ConfigChange } from './config/index.ts';
export type { DevnetEvents } from './network/events.ts';
export type { EnrolledIdentity } from './network/membership.ts';
export type {
  AddedOrganisationOptions,
  BatchOptions,
  ChaincodeAddress,
  ChaincodeOptions,
  DevnetOptions,
  OrdererOptions,
  OrganisationOptions,
  PeerOptions,
} from './network/options.ts';
export type { ChaincodeConnectionState } from './shim/chaincode-connection.ts';
export type { IssueParams } from './ca/index.ts';
export { DevnetError, type DevnetErrorCode } from './errors.ts';
