import type { X509Certificate } from 'node:crypto';

/** SHA-256 of the certificate (DER), hexadecimal in lower case. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}
