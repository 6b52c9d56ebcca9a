import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { CommitError, GatewayError } from '@hyperledger/fabric-gateway';
import { peer } from '@hyperledger/fabric-protos';
import { WaymarkError } from '@waymark/protocol';

const RETRY_TIMEOUT_MS = 60_000;
/** What peers have not heard of yet, they hear of within this. */
const LAG_TIMEOUT_MS = 15_000;
const RETRY_MS = 250;
/** The peer that is asked has not committed an approval yet that another peer has. */
const LAGGING = /not agreed to by this org/;
const REFUSED = /chaincode response 500|access denied|creator org unknown|creator is malformed/;
const PASSING_CODES: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.FAILED_PRECONDITION,
  status.ABORTED,
  status.UNKNOWN,
  status.RESOURCE_EXHAUSTED,
]);
const PASSING_VALIDATION: ReadonlySet<number> = new Set([
  peer.TxValidationCode.MVCC_READ_CONFLICT,
  peer.TxValidationCode.PHANTOM_READ_CONFLICT,
]);

/**
 * Repeats what fails because a network has only just come up or lost a node; what somebody refuses ends at once.
 *
 * @throws WaymarkError `chaincode-error` with everything that was said, or `unavailable` when nobody has answered for 60 s
 */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const left = begun + patienceMs(error) - Date.now();
      if (left <= 0) throw failureOf(error);
      await delay(Math.min(left, RETRY_MS));
    }
  }
}

/** How long after the first attempt such a failure is worth another one. */
export function patienceMs(error: unknown): number {
  const messages = messagesOf(error);
  if (messages.some((message) => LAGGING.test(message))) return LAG_TIMEOUT_MS;
  if (messages.some((message) => REFUSED.test(message))) return 0;
  if (error instanceof WaymarkError) return error.code === 'unavailable' ? RETRY_TIMEOUT_MS : 0;
  if (error instanceof GatewayError) return PASSING_CODES.has(error.code) ? RETRY_TIMEOUT_MS : 0;
  if (error instanceof CommitError) return PASSING_VALIDATION.has(error.code) ? RETRY_TIMEOUT_MS : 0;
  return 0;
}

export function messagesOf(error: unknown): string[] {
  const own = error instanceof Error ? [error.message] : [];
  return error instanceof GatewayError ? [...own, ...error.details.map(({ message }) => message)] : own;
}

function failureOf(error: unknown): WaymarkError {
  if (error instanceof WaymarkError) return error;
  return new WaymarkError('chaincode-error', messagesOf(error).join('; '), { cause: error });
}
