export { startFabricNetwork, type FabricNetwork, type FabricOrganisation } from './start.ts';
export type * from './options.ts';
export type { NodeAddress } from './channel/connected-peer.ts';
export { buildHeader, buildSignedProposal, type ChaincodeCall } from './channel/proposal.ts';
export { isListening } from './nodes/is-listening.ts';
export type { Member } from './membership/membership.ts';
export { findFabricPrograms, findProgram, type FabricPrograms } from './programs/programs.ts';
