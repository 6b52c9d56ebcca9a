import { WaymarkError } from '@waymark/protocol';

/** What a failed call to kubo means, read from the message it answered with. */
export type KuboFault = 'missing' | 'not-pinned' | 'hash-mismatch' | 'forbidden' | 'other';

const signs: readonly (readonly [RegExp, KuboFault])[] = [
  [/could not find|was not found locally/i, 'missing'],
  [/not pinned/i, 'not-pinned'],
  [/different hash/i, 'hash-mismatch'],
  [/forbidden|unauthorized/i, 'forbidden'],
];

export function kuboFaultOf(message: string): KuboFault {
  return signs.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
}

/** `data-abnormal` or `unavailable`: the failure of a call as the store's callers see it. Kubo's own text goes no further than the cause. */
export function unavailableKubo(cause: unknown): WaymarkError {
  if (cause instanceof WaymarkError) return cause;
  const reason = kuboFaultOf(cause instanceof Error ? cause.message : '');
  if (reason === 'hash-mismatch') {
    return new WaymarkError('data-abnormal', 'Kubo found a stored block altered.', {
      details: { source: 'kubo', reason: 'reported-by-kubo' },
      cause,
    });
  }
  return new WaymarkError('unavailable', 'Kubo did not do what it was asked.', {
    details: { source: 'kubo', reason },
    cause,
  });
}
