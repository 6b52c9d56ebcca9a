import { ioFault } from '@waymark/durable-files';
import { WaymarkError } from '@waymark/protocol';

export type LogLimit = 'log-size' | 'queue' | 'record';

/** Octets of the log are not what was written there. Nothing is changed. */
export function abnormal(reason: string, place: { readonly segment: number; readonly offset: number }): WaymarkError {
  return new WaymarkError('data-abnormal', 'The ledger log is damaged where it was durable.', {
    details: { reason, segment: place.segment, offset: place.offset },
  });
}

export function limitExceeded(limit: LogLimit, sizeBytes: number, maxBytes: number): WaymarkError {
  return new WaymarkError('limit-exceeded', 'The ledger log does not take this much.', {
    details: { limit, sizeBytes, maxBytes },
  });
}

export function closedError(): WaymarkError {
  return new WaymarkError('unavailable', 'The ledger log is closed.', { details: { reason: 'closed' } });
}

export function broken(what: string): WaymarkError {
  return new WaymarkError('internal', `What is to be persisted does not fit the ledger log: ${what}.`);
}

/** A segment could not be begun, and nothing that counts was touched. */
export class NothingChangedError extends Error {
  constructor(cause: unknown) {
    super('The disk did not take a new segment.', { cause });
  }
}

/** A fault of the disk: `unavailable`, with the reason in its details. */
export function diskFault(message: string, cause: unknown): WaymarkError {
  return ioFault(message, cause instanceof NothingChangedError ? cause.cause : cause);
}
