import { WaymarkError } from '@waymark/protocol';

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'permission',
  EPERM: 'permission',
  EMFILE: 'too-many-open-files',
  ENFILE: 'too-many-open-files',
};

/** A fault of the disk as the store's callers see it: `unavailable`, with the reason in its details. */
export function ioFault(message: string, cause: unknown): WaymarkError {
  if (cause instanceof WaymarkError) return cause;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  return new WaymarkError('unavailable', message, { details: { reason: reasons[code] ?? 'io-fault' }, cause });
}
