import type { NodeRole } from '../msp/msp.ts';

/** An enrolment certificate with its key (PEM, PKCS #8). */
export interface IssuedIdentity {
  readonly mspId: string;
  readonly enrolmentId: string;
  readonly role: NodeRole;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A TLS certificate with its key (PEM, PKCS #8). */
export interface IssuedTls {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** The TLS CA that the other side must trust. */
  readonly rootCertPem: string;
}
