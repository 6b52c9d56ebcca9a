export { evaluateSignedData, validSigners, type Policy, type SignedData } from './policy.ts';
export { compileSignaturePolicy, parseSignaturePolicy } from './signature-policy.ts';
export { createImplicitMetaPolicy, parseImplicitMetaRule } from './implicit-meta-policy.ts';
export { signaturePolicyFromString } from './policy-dsl.ts';
