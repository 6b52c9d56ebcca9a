import { type BatchStatement, WaymarkError } from '@waymark/protocol';
import type { TrustedReaderParts } from './ports.ts';

/**
 * Whether a CA that the reader trusts stands behind the certificate that signed a batch, and whether it is the one of the outlet that the batch names. The
 * certificate must have been good when the batch was sent. What happened to it later is no reason to reject: order counts from anchoring, and the chaincode
 * refuses what is anchored after a revocation.
 * @throws WaymarkError data-abnormal
 */
export function checkOutlet(
  verifierOf: TrustedReaderParts['verifierOf'],
  { statement, certificateDer }: { readonly statement: BatchStatement; readonly certificateDer: Uint8Array },
): void {
  const verifier = verifierOf(statement.msp);
  if (verifier === undefined) {
    throw new WaymarkError('data-abnormal', 'The batch is of an organisation that this reader does not trust.', {
      details: { mspId: statement.msp },
    });
  }
  try {
    const certificate = verifier.verify(certificateDer, { atMs: statement.sentAtMs, roles: ['client', 'peer'] });
    if (certificate.enrolmentId === statement.outlet) return;
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'The batch was not signed by an outlet of its organisation.', { cause });
  }
  throw new WaymarkError('data-abnormal', 'The batch was signed by another outlet than it names.');
}
