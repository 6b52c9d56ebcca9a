export * from './record-proof.ts';
export * from './verify-record-proof.ts';
export * from './verify-anchor.ts';
export { type CheckingKeys, createCheckingCrypto } from './seal-checks.ts';
