import { WaymarkError, readTransportKey } from '@waymark/protocol';
import type { NodeRole } from '../keys/certificate.ts';
import type { CertificateVerifier } from '../keys/certificate-verifier.ts';
import { parseEncryptionPublicKey, type EncryptionPublicKey } from '../keys/encryption-key.ts';

/** A transport key lives a day at most; then its private half is deleted, and what was sealed to it stays closed. */
export const maxTransportKeyLifetimeMs = 24 * 3_600_000;
/** How far the clocks of outlet and center may differ. */
export const clockSkewMs = 5 * 60_000;

/** A center's transport key whose announcement was checked. */
export interface TransportPublicKey extends EncryptionPublicKey {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id of the center that signed the announcement. */
  readonly center: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Checks an announcement as an outlet must before it seals to the key: signed for this channel and firm by a center of its own
 * organisation, valid now, a day long at most, and named after the key it carries.
 * @param expected.roles roles the center's certificate may have
 * @throws WaymarkError input-invalid, signature-invalid, certificate-*, role-not-permitted, recipient-mismatch: another channel or firm;
 *   message-stale: not valid now; key-invalid
 */
export function verifyTransportKey(
  announcement: Uint8Array,
  expected: {
    readonly channel: string;
    readonly msp: string;
    readonly nowMs: number;
    readonly verifier: CertificateVerifier;
    readonly roles?: readonly NodeRole[];
    readonly attributes?: Readonly<Record<string, string>>;
  },
): TransportPublicKey {
  const { channel, msp, nowMs, verifier, roles, attributes } = expected;
  const { announcement: said, certificateDer } = readTransportKey(announcement, channel);
  const certificate = verifier.verify(certificateDer, {
    atMs: nowMs,
    ...(roles === undefined ? {} : { roles }),
    ...(attributes === undefined ? {} : { attributes }),
  });
  if (said.msp !== msp)
    throw new WaymarkError('recipient-mismatch', 'The transport key is that of another organisation.');
  const { notBeforeMs, notAfterMs } = said;
  if (nowMs < notBeforeMs - clockSkewMs || nowMs > notAfterMs) {
    throw new WaymarkError('message-stale', 'The transport key is not valid now.', {
      details: { notBeforeMs, notAfterMs },
    });
  }
  const key = parseEncryptionPublicKey(said.publicKey.export({ format: 'jwk' }));
  if (key.kid !== said.kid || notAfterMs - notBeforeMs > maxTransportKeyLifetimeMs || notAfterMs <= notBeforeMs) {
    throw new WaymarkError('key-invalid', 'The transport key is not named after itself, or lives longer than a day.');
  }
  return { ...key, channel, msp, center: certificate.enrolmentId, notBeforeMs, notAfterMs };
}
