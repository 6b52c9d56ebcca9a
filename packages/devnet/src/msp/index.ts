export type { Identity, MspRegistry, NodeRole, SigningIdentity } from './msp.ts';
export { buildMspConfig, type MspDefinition } from './fabric-msp-config.ts';
export { createMspRegistry } from './registry.ts';
export { createSigningIdentity, serializeIdentity } from './signing-identity.ts';
