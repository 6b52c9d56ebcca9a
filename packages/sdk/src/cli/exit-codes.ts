import type { ErrorCode } from '@waymark/protocol';

/** Exit codes of the command, as docs/cli.md lists them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  input: 3,
  configuration: 4,
  refused: 5,
  unavailable: 6,
  abnormal: 7,
  conflict: 8,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each exit code means, for `--help` and the documentation. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'failed for another reason',
  2: 'the command line is not understood',
  3: 'an input does not have the required form, or is too large',
  4: 'the profile, a key file or a certificate file is not usable',
  5: 'refused: not yours or not there, or the certificate does not permit it',
  6: 'a part that is needed did not answer; try again later',
  7: 'data-abnormal: what is stored does not match what was recorded',
  8: 'conflict: the id was used with other content',
};

const exitCodeOf: Readonly<Record<ErrorCode, ExitCode>> = {
  'data-abnormal': exitCodes.abnormal,
  unavailable: exitCodes.unavailable,
  refused: exitCodes.refused,
  gone: exitCodes.refused,
  conflict: exitCodes.conflict,
  'input-invalid': exitCodes.input,
  'limit-exceeded': exitCodes.input,
  'configuration-invalid': exitCodes.configuration,
  'certificate-untrusted': exitCodes.refused,
  'certificate-expired': exitCodes.refused,
  'certificate-revoked': exitCodes.refused,
  'role-not-permitted': exitCodes.refused,
  'signature-invalid': exitCodes.abnormal,
  'message-stale': exitCodes.refused,
  'recipient-mismatch': exitCodes.refused,
  'envelope-mismatch': exitCodes.abnormal,
  'sequence-gap': exitCodes.failed,
  'replay-conflict': exitCodes.conflict,
  'audit-rejected': exitCodes.input,
  'key-unknown': exitCodes.configuration,
  'key-invalid': exitCodes.configuration,
  'decryption-failed': exitCodes.abnormal,
  'transaction-invalid': exitCodes.failed,
  'chaincode-error': exitCodes.failed,
  unsupported: exitCodes.input,
  'program-missing': exitCodes.configuration,
  internal: exitCodes.failed,
};

/** The exit code that stands for an error. */
export function exitCodeFor(code: ErrorCode): ExitCode {
  return exitCodeOf[code];
}

/** The gravest first: of several failures this one decides how the command ends. */
const gravity: readonly ExitCode[] = [7, 8, 5, 4, 6, 1, 3, 2, 0];

/** The gravest of several error codes. */
export function gravest(codes: readonly ErrorCode[]): ErrorCode | undefined {
  return [...codes].sort((a, b) => gravity.indexOf(exitCodeOf[a]) - gravity.indexOf(exitCodeOf[b]))[0];
}
