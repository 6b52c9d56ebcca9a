import { X509Certificate } from 'node:crypto';
import type { Membership } from '../membership/membership.ts';

/** One certificate of the network. */
export interface NetworkCertificate {
  readonly mspId: string;
  /** What it is for. */
  readonly use: 'ca' | 'tls-ca' | 'enrolment' | 'tls';
  /** In one line, for example `OU=peer, CN=peer0.org1.example.com`. */
  readonly subject: string;
  readonly notAfter: Date;
  /** Of the node that has it; undefined for CAs and users. */
  readonly hostName?: string;
}

/** All certificates that an organisation's folder holds, the first to expire first. */
export function certificatesOf({ mspId, ca, peers, orderers, admin, user }: Membership): NetworkCertificate[] {
  const read = (use: NetworkCertificate['use'], pem: string, hostName?: string): NetworkCertificate => {
    const { subject, validToDate } = new X509Certificate(pem);
    return {
      mspId,
      use,
      subject: subject.split('\n').join(', '),
      notAfter: validToDate,
      ...(hostName === undefined ? {} : { hostName }),
    };
  };
  return [
    read('ca', ca.rootCertPem),
    read('tls-ca', ca.tlsRootCertPem),
    ...[...peers, ...orderers].flatMap(({ identity, tls, hostName }) => [
      read('enrolment', identity.certificatePem, hostName),
      read('tls', tls.certificatePem, hostName),
    ]),
    ...[admin, user].map(({ certificatePem }) => read('enrolment', certificatePem)),
  ].sort((left, right) => left.notAfter.getTime() - right.notAfter.getTime());
}
