import { WaymarkError } from '@waymark/protocol';
import type { CertificateVerifier } from '@waymark/vault';
import { type NodeKind, type Register, requireRegistered } from './register.ts';

/** Who is calling: from the client certificate and the register, never from an argument (architecture invariant 6). */
export interface Caller {
  readonly mspId: string;
  readonly enrolmentId: string;
  readonly kind: NodeKind;
}

/** One organisation whose members may connect. */
export interface KnownOrganisation {
  readonly mspId: string;
  readonly verifier: CertificateVerifier;
}

/** Who is at the other end of a TLS connection, by certificate and register. */
export interface Callers {
  /** @throws WaymarkError certificate-untrusted, certificate-expired, certificate-revoked, role-not-permitted */
  identify(certificateDer: Uint8Array): Caller;
}

const allKinds = ['center', 'outlet', 'department', 'reader', 'client'] as const;

/**
 * @param organisations own first; a certificate belongs to the one whose CA issued it
 */
export function createCallers(
  organisations: readonly KnownOrganisation[],
  register: Register,
  nowMs: () => number,
): Callers {
  return {
    identify(certificateDer) {
      for (const { mspId, verifier } of organisations) {
        try {
          const certificate = verifier.verify(certificateDer, { atMs: nowMs() });
          const { enrolmentId, digest } = certificate;
          const { kind } = requireRegistered(register, { msp: mspId, enrolmentId, digest }, allKinds);
          return { mspId, enrolmentId, kind };
        } catch (error) {
          if (error instanceof WaymarkError && error.code === 'certificate-untrusted') continue;
          throw error;
        }
      }
      throw new WaymarkError('certificate-untrusted', 'No organisation known here issued the certificate.');
    },
  };
}
