export {
  agree,
  exportEncryptionKeyPair,
  generateEncryptionKeyPair,
  parseEncryptionKeyPair,
  parseEncryptionPublicKey,
  type EncryptionKeyPair,
  type EncryptionPublicKey,
  type StoredEncryptionKey,
} from './keys/encryption-key.ts';
export { jwkThumbprint, keyId, type Curve, type PrivateJwk, type PublicJwk } from './keys/jwk.ts';
export {
  exportSigningKeyPair,
  generateSigningKeyPair,
  parseSigningKeyPair,
  parseSigningPublicKey,
  type SigningKeyPair,
  type SigningPublicKey,
} from './keys/signing-key.ts';
export { possessionProven, provePossession } from './keys/possession.ts';
export { signKeyStatement, verifyKeyStatement, type KeyStatement } from './keys/key-statement.ts';
export { loadSigningIdentity, signingIdentityFromPem, type SigningIdentity } from './keys/signing-identity.ts';
export {
  certificateDigest,
  parseCertificate,
  parseCertificatesPem,
  type NodeRole,
  type ParsedCertificate,
} from './keys/certificate.ts';
export {
  certificateVerifier,
  verifyCertificate,
  type CertificateDemands,
  type CertificateVerifier,
  type OrganisationVerifier,
  type TrustAnchors,
  type VerifiedCertificate,
} from './keys/certificate-verifier.ts';
export type { RevocationListFacts } from './keys/revocation-list.ts';
export {
  createConsignmentCipher,
  maxContentBytes,
  maxEnvelopeBytes,
  openEnvelope,
  readEnvelopeHeader,
  sealEnvelope,
  type ConsignmentCipher,
  type OpenedEnvelope,
  type OpeningKey,
  type SealInput,
  type SealedEnvelope,
} from './envelope/consignment-cipher.ts';
export { headerDifferences, type EnvelopeHeader, type ExpectedHeader } from './envelope/header.ts';
export { consignmentKeyCommitment, deriveSaltKey, type ConsignmentContext } from './envelope/key-schedule.ts';
export { outletIds, type OutletIds, type OutletScope } from './ids/outlet-ids.ts';
export { tokens, type Tokens } from './ids/tokens.ts';
export { normaliseBusinessId } from './ids/business-id.ts';
export { randomId } from './derivation/random.ts';
export {
  openSubmission,
  sealSubmission,
  submissionLimits,
  type HandedConsignmentKey,
  type OpenedSubmission,
  type Submission,
  type SubmittedRecord,
} from './submission/submission.ts';
export { maxTransportKeyLifetimeMs, verifyTransportKey, type TransportPublicKey } from './submission/transport-key.ts';
export {
  openTransportKeyRing,
  type AnnouncedTransportKey,
  type StoredTransportKey,
  type TransportKeyRing,
  type TransportKeyStorage,
} from './submission/transport-key-ring.ts';
export { readPrivateFile, writePrivateFile } from './keystore/private-file.ts';
export { readPassphrase, type PassphraseSource } from './keystore/passphrase.ts';
export { createKeyStore, openKeyStore, type KeyStore, type KeyStoreOptions } from './keystore/key-store.ts';
export { type ScryptCost } from './keystore/sealed-document.ts';
export { type LocalBinding, type LocalWrap } from './keystore/local-wrap.ts';
export {
  consignmentKeys,
  newConsignmentOid,
  type ConsignmentKeys,
  type WrappedKeyTable,
} from './keystore/consignment-keys.ts';
export { unwrapConsignmentKey, wrapConsignmentKey, type WrappedConsignmentKey } from './jose/consignment-key.ts';
export {
  signExternalQuery,
  verifyExternalQuery,
  type ExternalQuery,
  type VerifiedExternalQuery,
} from './jose/external-query.ts';
export {
  openExternalAnswer,
  sealExternalAnswer,
  type ExternalAnswer,
  type OpenedExternalAnswer,
} from './jose/external-answer.ts';
export { signAllowList, verifyAllowList, type AllowList } from './jose/allow-list.ts';
