import 'reflect-metadata';
import { createHash, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { ShimCreator } from '@waymark/testing/shim-peer';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 24 * 60 * 60 * 1000;

/** An identity with a real certificate. */
export interface TestIdentity extends ShimCreator {
  readonly enrolmentId: string;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly digest: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** One organisation's CA. */
export interface TestAuthority {
  readonly mspId: string;
  issue(enrolmentId: string, unit?: string): Promise<TestIdentity>;
  /** Issues for a subject written as RFC 4514 attributes, to try odd ones. */
  issueFor(subject: x509.JsonName, enrolmentId: string): Promise<TestIdentity>;
}

/** Makes an organisation's CA. */
export async function createAuthority(mspId: string): Promise<TestAuthority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const issuer = [{ CN: [`ca.${mspId}`] }];
  let serial = 0;
  const issueFor: TestAuthority['issueFor'] = async (subject, enrolmentId) => {
    const own = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    serial++;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial.toString(16).padStart(4, '0'),
      subject,
      issuer,
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + day),
      signingAlgorithm: algorithm,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
    });
    const digest = createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex');
    return { mspId, certificatePem: certificate.toString('pem'), enrolmentId, digest, keys: own };
  };
  return {
    mspId,
    issueFor,
    issue: (enrolmentId, unit = 'client') => issueFor([{ OU: [unit] }, { CN: [enrolmentId] }], enrolmentId),
  };
}
