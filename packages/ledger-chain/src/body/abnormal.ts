import { WaymarkError } from '@waymark/protocol';

/** A body is not what its block's members made. */
export function abnormalBody(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('data-abnormal', 'The body of a block is not what the members of the ledger made.', {
    details: { reason },
    cause,
  });
}
