import { type BatchState, isFinal } from '../outbox/batch-state.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** Tells whoever waits how far a batch is. */
export interface Progress {
  /** Calls back with the state now and with each later one, until it is final (anchored or refused) or unsubscribed. */
  watch(batch: number, listener: (state: BatchState) => void): () => void;
  /** Says that a batch has changed. */
  changed(batch: number): void;
}

/** Progress over the outbox. */
export function createProgress(outbox: Pick<Outbox, 'state'>): Progress {
  const listeners = new Map<number, Set<(state: BatchState) => void>>();
  return {
    watch(batch, listener) {
      const state = outbox.state(batch);
      if (state === undefined) return () => undefined;
      listener(state);
      if (isFinal(state)) return () => undefined;
      const all = listeners.get(batch) ?? new Set();
      listeners.set(batch, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0) listeners.delete(batch);
      };
    },
    changed(batch) {
      const all = listeners.get(batch);
      const state = outbox.state(batch);
      if (all === undefined || state === undefined) return;
      if (isFinal(state)) listeners.delete(batch);
      for (const listener of [...all]) listener(state);
    },
  };
}
