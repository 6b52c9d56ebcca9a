import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { Callers, NodeKind } from '@waymark/service-kit';
import type { CertificateVerifier } from '@waymark/vault';

/** Who asks about the ledger: a registered node or person of the firm, or its administrator, who stands in no register. */
export interface OperatorCaller {
  readonly enrolmentId: string;
  readonly kind: NodeKind | 'admin';
}

/**
 * Finds out who calls from the client certificate alone. Only the firm's own get on: its administrators by the role in the certificate, everybody else by the register.
 * @returns throws certificate-untrusted, certificate-expired, certificate-revoked, role-not-permitted, refused
 */
export function operatorCallers(parts: {
  readonly mspId: string;
  readonly verifier: CertificateVerifier;
  readonly callers: () => Callers;
  readonly nowMs: () => number;
}): (certificateDer: Uint8Array) => OperatorCaller {
  const { mspId, verifier, callers, nowMs } = parts;
  return (certificateDer) => {
    try {
      const { enrolmentId } = verifier.verify(certificateDer, { atMs: nowMs(), roles: ['admin'] });
      return { enrolmentId, kind: 'admin' };
    } catch (error) {
      if (!isWaymarkError(error, 'role-not-permitted') && !isWaymarkError(error, 'certificate-untrusted')) throw error;
    }
    const caller = callers().identify(certificateDer);
    if (caller.mspId !== mspId) throw new WaymarkError('refused', 'There is nothing here that is yours to see.');
    return { enrolmentId: caller.enrolmentId, kind: caller.kind };
  };
}
