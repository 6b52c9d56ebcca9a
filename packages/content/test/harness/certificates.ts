import { createOrganisationCa } from '@waymark/devnet/ca';

export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A certificate authority for one test, and what it issues for TLS. */
export async function newAuthority(
  name: string,
): Promise<{ certificate: string; issue(subject: string): Promise<Identity> }> {
  const ca = await createOrganisationCa({ mspId: name, domain: name });
  return {
    certificate: ca.tlsRootCertPem,
    async issue(subject) {
      const { certificatePem, privateKeyPem } = await ca.issueTls({ commonName: subject });
      return { certificate: certificatePem, privateKey: privateKeyPem };
    },
  };
}
