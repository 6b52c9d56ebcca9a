/**
 * Stable error codes of the whole system. A code is a contract: code, CLI, REST and docs use the same word.
 * `docs/errors.md` lists each; a test compares the two, both ways.
 */
export const errorCodes = {
  // Reading (architecture invariant 5)
  'data-abnormal': 'Stored or transmitted data does not match what was recorded for it.',
  unavailable: 'A part that is needed to answer did not answer.',
  refused: 'Not yours or not there.',
  gone: 'The data was destroyed on purpose.',
  conflict: 'The same id was already used with other content.',
  // Input
  'input-invalid': 'The input does not have the required form.',
  'limit-exceeded': 'A size, count or time limit was exceeded.',
  'configuration-invalid': 'The configuration does not have the required form.',
  // Submission checks (S4)
  'certificate-untrusted': 'The certificate was not issued by a CA of the organisation.',
  'certificate-expired': 'The certificate is not valid at this time.',
  'certificate-revoked': 'The certificate or its outlet was revoked.',
  'role-not-permitted': 'The identity does not have the role this needs.',
  'signature-invalid': 'The signature does not cover these bytes or was not made by this key.',
  'message-stale': 'The message was sent too long ago, or in the future.',
  'recipient-mismatch': 'The message was made for another recipient, ledger or channel.',
  'envelope-mismatch': 'The envelope was sealed by another outlet, or for another place, than the batch says.',
  'sequence-gap': 'The outlet skipped a sequence number, or does not link to its last batch.',
  'replay-conflict': 'The sequence number was already used with another batch.',
  'audit-rejected': "The audit of the firm's private ledger did not let the record through.",
  // Vault
  'key-unknown': 'No key is held that opens this.',
  'key-invalid': 'The key does not have the required form.',
  'decryption-failed': 'The data was not sealed under this key and context.',
  // Ledger
  'transaction-invalid': 'The transaction was committed as invalid.',
  'chaincode-error': 'The chaincode refused the call.',
  unsupported: 'This is not supported here.',
  'program-missing': 'A program that this needs is not installed.',
  internal: 'An unexpected fault.',
} as const satisfies Record<string, string>;

/** One of the stable codes. */
export type ErrorCode = keyof typeof errorCodes;

/** Machine-readable facts about a failure: ids, places and limits, never payloads, keys or personal data. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * The one error class that crosses package borders. `message` is for people and carries no secret;
 * `code` is for programs.
 */
export class WaymarkError extends Error {
  override readonly name = 'WaymarkError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Narrows an unknown failure to a `WaymarkError`, optionally of one code. */
export function isWaymarkError(error: unknown, code?: ErrorCode): error is WaymarkError {
  return error instanceof WaymarkError && (code === undefined || error.code === code);
}

/** Whether a text that came from outside is one of the stable codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
