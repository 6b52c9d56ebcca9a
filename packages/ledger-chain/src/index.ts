export { type BodyContent } from './body/body-content.ts';
export { type BodyCipher, type BodyCipherOptions, createBodyCipher, type EncodedBody } from './body/body-cipher.ts';
export { attachedEnvelopes, type EnvelopesOf } from './body/envelope-links.ts';
export * from './store/ledger-chain.ts';
export { openLedgerChain } from './store/open-ledger-chain.ts';
export { decodeSeal, encodeSeal } from './store/seal-bytes.ts';
export * from './proof/index.ts';
export { type ChainChecks, type ChainProblem, type ChainReport, verifyChain } from './verify/verify-chain.ts';
export { restoreLedgerChain, type RestoreOptions } from './backup/restore.ts';
