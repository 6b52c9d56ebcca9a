import { WaymarkError } from '@waymark/protocol';

/** What every call gets once `close` was called. */
export function closedError(): WaymarkError {
  return new WaymarkError('unavailable', 'The content store is closed.', { details: { reason: 'closed' } });
}
