import { grpcStatuses, ledgerFailure } from '@waymark/fabric/client';
import { isWaymarkError, type ErrorDetails, type WaymarkError } from '@waymark/protocol';

const successBelow = 400;
const unknown: number = grpcStatuses.UNKNOWN;

/** What a peer answered to a proposal, as the client library gives it. */
export interface PeerResponse {
  readonly connection?: { readonly name: string };
  readonly response: { readonly status: number; readonly message: string; readonly payload: Buffer };
  /** The bytes that the endorsement signs. */
  readonly payload: Buffer;
  readonly endorsement?: object | null;
}

/** An error of the client library: gRPC's, or of its own without a status. */
interface LibraryError extends Error {
  readonly code?: unknown;
  readonly details?: unknown;
  readonly connection?: { readonly name: string };
  /** What the single endorsers said, when a plan could not be fulfilled. */
  readonly endorsements?: readonly (PeerResponse | Error)[];
}

/** Whether the chaincode (or the peer in its place) refused. */
export function isRefusal({ response }: PeerResponse): boolean {
  return response.status >= successBelow;
}

/** Everything that was said in an answer to a proposal: the failures of a plan lie inside of one error. */
export function flatten(sent: { readonly errors: readonly Error[]; readonly responses: readonly PeerResponse[] }): {
  readonly errors: readonly LibraryError[];
  readonly responses: readonly PeerResponse[];
} {
  const errors: readonly LibraryError[] = sent.errors;
  const inside = errors.flatMap(({ endorsements = [] }) => endorsements);
  const isError = (item: PeerResponse | Error): item is Error => item instanceof Error;
  return {
    errors: [...inside.filter(isError), ...errors],
    responses: [...inside.filter((item): item is PeerResponse => !isError(item)), ...sent.responses],
  };
}

/** A proposal that failed: what peers said goes before what the library makes of it. */
export function proposalFailure(
  errors: readonly LibraryError[],
  responses: readonly PeerResponse[],
  context: ErrorDetails = {},
): WaymarkError {
  const refusals = responses.filter(isRefusal);
  const answer = {
    grpcStatus: errors.map(statusOf).find((code) => code !== unknown) ?? unknown,
    texts: [
      ...refusals.map(({ response }) => `chaincode response ${response.status}, ${response.message}`),
      ...errors.map(textOf),
    ],
    peers: [...refusals, ...errors].flatMap(({ connection }) => (connection === undefined ? [] : [connection.name])),
  };
  return ledgerFailure(answer, context, errors[0] ?? new Error(answer.texts[0]));
}

/** Any other call that failed. */
export function fromLibraryFailure(error: unknown, context: ErrorDetails = {}): WaymarkError {
  if (isWaymarkError(error)) return error;
  const cause: LibraryError = error instanceof Error ? error : new Error('the client library threw no error');
  return ledgerFailure({ grpcStatus: statusOf(cause), texts: [textOf(cause)], peers: [] }, context, cause);
}

function statusOf({ code }: LibraryError): number {
  return typeof code === 'number' ? code : unknown;
}

function textOf({ details, message }: LibraryError): string {
  return typeof details === 'string' && details !== '' ? details : message;
}
