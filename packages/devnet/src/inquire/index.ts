export { principalSetsOfInterest, type InquiredCall } from './interest-principals.ts';
export { describeEndorsement, type EndorsementDescriptor, type KnownPeers, type Layout } from './layouts.ts';
export type { PrincipalSet } from './principal-sets.ts';
