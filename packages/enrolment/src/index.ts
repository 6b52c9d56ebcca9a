export {
  certificateAuthority,
  revocationReasons,
  type AuthorityChain,
  type AuthorityInfo,
  type CertificateAuthority,
  type CertificateProfile,
  type CertificateWish,
  type Enrolment,
  type Registration,
  type Revocation,
  type RevocationList,
  type RevocationReason,
  type RevokedCertificate,
} from './authority/certificate-authority.ts';
export type { EnrolledIdentity } from './authority/calls.ts';
export type { AuthorityEndpoint } from './authority/endpoint.ts';
export { certificateFacts, type CertificateFacts } from './certificate-facts.ts';
export {
  identityFiles,
  readCertificate,
  readIdentityFolder,
  readPublic,
  writeIdentityFolder,
  type MspWish,
} from './files/identity-folder.ts';
export { readSecret, type SecretSource } from './files/secret.ts';
export { modes, replaceFile } from './files/write-file.ts';
