import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { WaymarkError, errorCodes, isWaymarkError, type ErrorCode } from '@waymark/protocol';
import type { Failure } from './generated/waymark.ts';

/** Trailer that carries the stable error code beside the coarser gRPC status. */
export const errorCodeTrailer = 'waymark-code';

const maxMessageLength = 1_000;

/** Details that a peer is told, each in a trailer of its name, too; letters, digits and what names of nodes and reasons have besides. */
const carriedDetails = ['center', 'reason'] as const;
const carriedText = /^[\w.@:-]{1,128}$/;

const statusOfCode: Record<ErrorCode, status> = {
  'data-abnormal': status.DATA_LOSS,
  unavailable: status.UNAVAILABLE,
  refused: status.PERMISSION_DENIED,
  gone: status.NOT_FOUND,
  conflict: status.ALREADY_EXISTS,
  'input-invalid': status.INVALID_ARGUMENT,
  'limit-exceeded': status.RESOURCE_EXHAUSTED,
  'configuration-invalid': status.FAILED_PRECONDITION,
  'certificate-untrusted': status.UNAUTHENTICATED,
  'certificate-expired': status.UNAUTHENTICATED,
  'certificate-revoked': status.UNAUTHENTICATED,
  'role-not-permitted': status.PERMISSION_DENIED,
  'signature-invalid': status.UNAUTHENTICATED,
  'message-stale': status.FAILED_PRECONDITION,
  'recipient-mismatch': status.FAILED_PRECONDITION,
  'envelope-mismatch': status.INVALID_ARGUMENT,
  'sequence-gap': status.FAILED_PRECONDITION,
  'replay-conflict': status.ALREADY_EXISTS,
  'audit-rejected': status.FAILED_PRECONDITION,
  'key-unknown': status.FAILED_PRECONDITION,
  'key-invalid': status.INVALID_ARGUMENT,
  'decryption-failed': status.INVALID_ARGUMENT,
  'transaction-invalid': status.ABORTED,
  'chaincode-error': status.ABORTED,
  unsupported: status.UNIMPLEMENTED,
  'program-missing': status.UNAVAILABLE,
  internal: status.INTERNAL,
};

const codeOfStatus: Partial<Record<status, ErrorCode>> = {
  [status.CANCELLED]: 'unavailable',
  [status.DEADLINE_EXCEEDED]: 'unavailable',
  [status.UNAVAILABLE]: 'unavailable',
  [status.INVALID_ARGUMENT]: 'input-invalid',
  [status.OUT_OF_RANGE]: 'input-invalid',
  [status.RESOURCE_EXHAUSTED]: 'limit-exceeded',
  [status.UNIMPLEMENTED]: 'unsupported',
  [status.UNAUTHENTICATED]: 'refused',
  [status.PERMISSION_DENIED]: 'refused',
  [status.DATA_LOSS]: 'data-abnormal',
};

/** What a peer may be told: code, message and the details `center` and `reason` of a `WaymarkError`; of any other fault only that there was one. */
export function toFailure(error: unknown): Failure {
  if (!isWaymarkError(error)) return { code: 'internal', message: errorCodes.internal };
  return {
    code: error.code,
    message: error.message.slice(0, maxMessageLength),
    ...carried((name) => error.details[name]),
  };
}

/** The error a `Failure` of a peer stands for; a code this version does not know becomes `internal`. */
export function fromFailure(failure: Failure): WaymarkError {
  const code = isErrorCode(failure.code) ? failure.code : 'internal';
  const message = failure.message === '' ? errorCodes[code] : failure.message.slice(0, maxMessageLength);
  return new WaymarkError(code, message, { details: carried((name) => failure[name]) });
}

function carried(valueOf: (name: (typeof carriedDetails)[number]) => unknown): { center?: string; reason?: string } {
  const values = carriedDetails.map((name) => [name, valueOf(name)] as const);
  return Object.fromEntries(values.filter(([, value]) => typeof value === 'string' && carriedText.test(value)));
}

/** The gRPC status that ends a call with this error, the stable code in the trailer `waymark-code`, details in `waymark-<name>`. */
export function toServiceError(error: unknown): ServiceError {
  const failure = toFailure(error);
  const metadata = new Metadata();
  metadata.set(errorCodeTrailer, failure.code);
  for (const name of carriedDetails) {
    const value = failure[name];
    if (value !== undefined) metadata.set(`waymark-${name}`, value);
  }
  const code = isErrorCode(failure.code) ? statusOfCode[failure.code] : status.INTERNAL;
  return Object.assign(new Error(failure.message), { code, details: failure.message, metadata });
}

/** The `WaymarkError` behind a failed call: by the trailer when the peer is ours, else by the gRPC status. */
export function fromServiceError(error: unknown): WaymarkError {
  if (isWaymarkError(error)) return error;
  if (!isServiceError(error)) return new WaymarkError('internal', 'the call failed', { cause: error });
  const trailer = error.metadata.get(errorCodeTrailer)[0];
  const details = {
    grpcStatus: status[error.code],
    ...carried((name) => error.metadata.get(`waymark-${name}`)[0]),
  };
  if (typeof trailer === 'string' && isErrorCode(trailer)) {
    return new WaymarkError(trailer, error.details.slice(0, maxMessageLength), { details, cause: error });
  }
  const code = codeOfStatus[error.code] ?? 'internal';
  return new WaymarkError(code, `the call failed: ${status[error.code]}`, { details, cause: error });
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'metadata' in error;
}
