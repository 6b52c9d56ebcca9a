import { WaymarkError } from '@waymark/protocol';

/** Lets streams wait until the backlog has room. */
export interface Room {
  /** @throws WaymarkError unavailable when `signal` aborts first */
  readonly wait: (signal: AbortSignal) => Promise<void>;
  /** Says that there may be room now. */
  check(): void;
}

/** @param isFull whether there is no room */
export function createRoom(isFull: () => boolean): Room {
  const waiting = new Set<() => void>();
  return {
    wait: (signal) =>
      new Promise((resolve, reject) => {
        if (!isFull()) {
          resolve();
          return;
        }
        const onAbort = (): void => {
          waiting.delete(onRoom);
          reject(new WaymarkError('unavailable', 'the stream ended'));
        };
        const onRoom = (): void => {
          waiting.delete(onRoom);
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        waiting.add(onRoom);
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    check() {
      for (const onRoom of waiting) {
        if (isFull()) return;
        onRoom();
      }
    },
  };
}
