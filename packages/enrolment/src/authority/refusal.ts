import { type ErrorCode, WaymarkError } from '@waymark/protocol';

/** Fabric CA's error codes (its `caerrors`) and what they are here. */
const codes: ReadonlyMap<number, { readonly code: ErrorCode; readonly reason: string }> = new Map(
  (
    [
      ['refused', 'does not know these credentials, or does not take them any more', [2, 20, 21, 22, 23, 24, 25, 26]],
      ['refused', 'does not know what was asked for', [8, 10, 14, 19, 30, 63]],
      [
        'role-not-permitted',
        'does not permit this identity to do that',
        [7, 17, 35, 42, 43, 44, 54, 55, 59, 71, 76, 78],
      ],
      ['certificate-expired', 'was shown an expired certificate', [27]],
      ['certificate-revoked', 'has revoked the identity or its certificate', [28, 70]],
      ['conflict', 'has another identity under this enrolment id', [74]],
      ['limit-exceeded', 'counts too many attempts or enrolments of this identity', [73, 82]],
      ['input-invalid', 'does not take what it was sent', [4, 5, 9, 15, 31, 36, 37, 77, 80, 81]],
      ['unsupported', 'is not set up to do this', [46, 72]],
    ] as const
  ).flatMap(([code, reason, numbers]) => numbers.map((number) => [number, { code, reason }] as const)),
);

/** Code of the fault with which an answer that is too long is cut off. */
export const tooLongCode = 'ERR_ANSWER_TOO_LONG';
/** Faults in the system's connection, by Node's codes; anything else with a code is "does not answer". */
const untrusted = /^(?:CERT_|ERR_TLS_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME_MISMATCH)/;

/**
 * The error that fabric-ca-client rejected with, as one of ours. Its text is not passed on: it can quote what was received.
 */
export function toRefusal(error: unknown, operation: string): WaymarkError {
  if (error instanceof WaymarkError) return error;
  const caCode = caCodeOf(error);
  if (caCode !== undefined) {
    const known = codes.get(caCode) ?? { code: 'unavailable' as const, reason: 'could not do it' };
    return new WaymarkError(known.code, `The certificate authority ${known.reason}.`, {
      details: { operation, caCode },
    });
  }
  const systemCode = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (systemCode === tooLongCode) {
    return new WaymarkError('limit-exceeded', 'The answer of the certificate authority is too long.', {
      details: { operation },
    });
  }
  if (untrusted.test(systemCode)) {
    return new WaymarkError('certificate-untrusted', 'The certificate authority is not the one whose CA was given.', {
      details: { operation, systemCode },
    });
  }
  return new WaymarkError('unavailable', 'The certificate authority did not give a usable answer.', {
    details: { operation, ...(systemCode === '' ? {} : { systemCode }) },
  });
}

function caCodeOf(error: unknown): number | undefined {
  const errors: unknown = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const code: unknown = typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** Whether the authority said that the certificate was revoked already. */
export function saysAlreadyRevoked(error: unknown): boolean {
  return caCodeOf(error) === 66;
}
