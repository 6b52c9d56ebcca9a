export * from './record-proof.ts';
export * from './verify-record-proof.ts';
export * from './verify-anchor.ts';
export { createCheckingCrypto } from './seal-checks.ts';
