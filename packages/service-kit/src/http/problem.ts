import { errorCodes, isWaymarkError, type ErrorCode, type ErrorDetails } from '@waymark/protocol';

/** RFC 9457 problem details, with the stable code as an extension member. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly details?: ErrorDetails;
  readonly requestId?: string;
}

/** Media type of a problem. */
export const problemMediaType = 'application/problem+json';

const statusOfCode: Record<ErrorCode, number> = {
  'data-abnormal': 502,
  unavailable: 503,
  refused: 403,
  gone: 410,
  conflict: 409,
  'input-invalid': 400,
  'limit-exceeded': 413,
  'configuration-invalid': 500,
  'certificate-untrusted': 401,
  'certificate-expired': 401,
  'certificate-revoked': 401,
  'role-not-permitted': 403,
  'signature-invalid': 401,
  'message-stale': 400,
  'recipient-mismatch': 400,
  'envelope-mismatch': 400,
  'sequence-gap': 409,
  'replay-conflict': 409,
  'audit-rejected': 422,
  'key-unknown': 404,
  'key-invalid': 400,
  'decryption-failed': 400,
  'transaction-invalid': 409,
  'chaincode-error': 502,
  unsupported: 501,
  'program-missing': 503,
  internal: 500,
};

/** Codes whose cause lies on our side: what failed where is for the log, not for the client. */
const withoutDetails = new Set<ErrorCode>(['internal', 'configuration-invalid', 'chaincode-error', 'unavailable']);

/**
 * The problem that answers a request which failed with `error`. Errors of express and its parsers are recognised by their
 * status; of anything else the client learns only that it happened. `limit-exceeded` with a `retryAfterMs` is a 429.
 */
export function toProblem(error: unknown, requestId?: string): Problem {
  const { code, message, details, status } = classify(error);
  return {
    type: `urn:waymark:error:${code}`,
    title: errorCodes[code],
    status,
    detail: message,
    code,
    ...(Object.keys(details).length === 0 || withoutDetails.has(code) ? {} : { details }),
    ...(requestId === undefined ? {} : { requestId }),
  };
}

interface Classified {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
  readonly status: number;
}

function classify(error: unknown): Classified {
  if (isWaymarkError(error)) {
    const tooMany = error.code === 'limit-exceeded' && 'retryAfterMs' in error.details;
    return {
      code: error.code,
      message: error.message.slice(0, 1_000),
      details: error.details,
      status: tooMany ? 429 : statusOfCode[error.code],
    };
  }
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  switch (status) {
    case 400:
      return {
        code: 'input-invalid',
        message: 'the request does not have the required form',
        details: placesOf(error),
        status,
      };
    case 404:
      return { code: 'unsupported', message: 'there is nothing at this address', details: {}, status };
    case 405:
      return { code: 'unsupported', message: 'this address does not know this method', details: {}, status };
    case 408:
      return { code: 'limit-exceeded', message: 'the request took too long', details: {}, status };
    case 413:
      return { code: 'limit-exceeded', message: 'the request body is too large', details: {}, status };
    case 415:
      return {
        code: 'input-invalid',
        message: 'the request body must be application/json, uncompressed, UTF-8',
        details: {},
        status,
      };
    default:
      return { code: 'internal', message: errorCodes.internal, details: {}, status: 500 };
  }
}

/** Where a schema validator found fault, without the values. */
function placesOf(error: unknown): ErrorDetails {
  if (!(error instanceof Error) || !('errors' in error) || !Array.isArray(error.errors)) return {};
  const places = error.errors.slice(0, 5).flatMap((item: unknown) => {
    const { path, message } = item as { readonly path?: unknown; readonly message?: unknown };
    return typeof path === 'string' && typeof message === 'string'
      ? [`${path.slice(0, 100)}: ${message.slice(0, 200)}`]
      : [];
  });
  return places.length === 0 ? {} : { places };
}
