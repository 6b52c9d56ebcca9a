import type { Writable } from 'node:stream';

/**
 * Sends one message of a stream and resolves when the connection has taken it, or never will: a client that does not read has
 * one message waiting for it, not a queue of them.
 */
export function written(stream: Writable, message: unknown, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      aborted.removeEventListener('abort', done);
      resolve();
    };
    if (aborted.aborted) {
      resolve();
      return;
    }
    aborted.addEventListener('abort', done);
    stream.write(message, done);
  });
}
