import { readFile } from 'node:fs/promises';
import { bytesEqual, WaymarkError } from '@waymark/protocol';
import type { MemberId, MemberKeys } from '@waymark/rsl';
import { parseCertificatesPem, type ParsedCertificate } from '@waymark/vault';
import type { MemberPlan } from './plan.ts';

/** The members' identity certificates, as each member knows them. */
export interface MemberCertificates {
  readonly publicKeyOf: MemberKeys['publicKeyOf'];
  /** Whose certificate this is. @throws WaymarkError certificate-untrusted when it is no member's */
  readonly memberOf: (certificateDer: Uint8Array) => MemberId;
}

export async function memberCertificates(members: MemberPlan['members']): Promise<MemberCertificates> {
  const known = new Map<MemberId, ParsedCertificate>();
  for (const { id, identity } of members) {
    const [certificate] = parseCertificatesPem(await readFile(identity.certificateFile, 'utf8'));
    if (certificate !== undefined) known.set(id, certificate);
  }
  return {
    publicKeyOf(member, digest) {
      const certificate = known.get(member);
      return certificate !== undefined && bytesEqual(certificate.digest, digest) ? certificate.publicKey : null;
    },
    memberOf(der) {
      for (const [member, certificate] of known) if (bytesEqual(certificate.der, der)) return member;
      throw new WaymarkError('certificate-untrusted', "The certificate is no member's.");
    },
  };
}
