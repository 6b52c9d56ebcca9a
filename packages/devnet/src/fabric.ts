/** What is true of any Fabric network, embedded or not: for tools that set up and talk to real nodes. */
export * from './config/index.ts';
export { buildMspConfig, createSigningIdentity, type MspDefinition, type SigningIdentity } from './msp/index.ts';
export { channelPolicyReference, signaturePolicy } from './lifecycle/chaincode-definition.ts';
export { signaturePolicyFromString } from './policy/index.ts';
export { createTimestamp } from './block/timestamp.ts';
export { DevnetError } from './errors.ts';
