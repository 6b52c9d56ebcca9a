import { WaymarkError } from '@waymark/protocol';

/** A proof does not hold. */
export function abnormalProof(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('data-abnormal', `The record proof does not hold: ${reason}.`, {
    details: { reason },
    cause,
  });
}
