import { toHex, WaymarkError } from '@waymark/protocol';
import { type NodeRole, parseCertificatesPem } from '@waymark/vault';

/** What an operator has to know of a certificate. Nothing of it is secret. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly enrolmentId: string;
  /** MSP role (NodeOU); null when the certificate has none, as those of TLS. */
  readonly role: NodeRole | null;
  readonly attributes: Readonly<Record<string, string>>;
  /** DNS names and IP addresses, for TLS. */
  readonly hosts: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly expired: boolean;
  readonly serialNumber: string;
  /** Key of the CA that issued it, as revoking by number takes it; null when it does not say. */
  readonly authorityKeyId: string | null;
  /** SHA-256 of the DER, lower-case hex: what `registerNode` and `addCertificate` take. */
  readonly digest: string;
}

/** @throws WaymarkError certificate-untrusted when there is no certificate in the PEM text, or several */
export function certificateFacts(pem: string, nowMs: number): CertificateFacts {
  const [certificate, ...more] = parseCertificatesPem(pem);
  if (certificate === undefined || more.length > 0) {
    throw new WaymarkError('certificate-untrusted', 'There is not exactly one certificate in this file.');
  }
  const { node, authorityKeyId } = certificate;
  return {
    subject: oneLine(node.subject),
    issuer: oneLine(node.issuer),
    enrolmentId: certificate.enrolmentId,
    role: certificate.role,
    attributes: Object.fromEntries(certificate.attributes),
    hosts: (node.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => name.slice(name.indexOf(':') + 1)),
    notBefore: new Date(certificate.notBeforeMs).toISOString(),
    notAfter: new Date(certificate.notAfterMs).toISOString(),
    expired: nowMs > certificate.notAfterMs,
    serialNumber: certificate.serialNumber,
    authorityKeyId: authorityKeyId === null ? null : toHex(authorityKeyId),
    digest: toHex(certificate.digest),
  };
}

const oneLine = (name: string): string => name.split('\n').join(', ');
